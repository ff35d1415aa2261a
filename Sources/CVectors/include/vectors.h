#pragma once

// Swift's addingProduct of a SIMD vector goes lane by lane, and the compiler does not always put the lanes together again.

typedef float dtrain_float8 __attribute__((ext_vector_type(8)));
typedef float dtrain_float16 __attribute__((ext_vector_type(16)));

/// sum + a · b, rounded once.
static inline __attribute__((always_inline)) dtrain_float8 dtrain_add_product8(
    dtrain_float8 sum, dtrain_float8 a, dtrain_float8 b) {
  return __builtin_elementwise_fma(a, b, sum);
}

/// The same of 16 floats.
static inline __attribute__((always_inline)) dtrain_float16 dtrain_add_product16(
    dtrain_float16 sum, dtrain_float16 a, dtrain_float16 b) {
  return __builtin_elementwise_fma(a, b, sum);
}
