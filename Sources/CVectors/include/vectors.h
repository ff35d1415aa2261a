#pragma once

// Swift's operations on SIMD vectors go lane by lane, and the compiler does not always put the lanes together again: of 16
// lanes it makes two halves, and of a choice between two vectors even more. Here a vector is one value.

typedef float dtrain_float8 __attribute__((ext_vector_type(8)));
typedef float dtrain_float16 __attribute__((ext_vector_type(16)));
typedef int dtrain_int8 __attribute__((ext_vector_type(8)));
typedef int dtrain_int16 __attribute__((ext_vector_type(16)));

// One name for vectors of 8 and of 16, as files that are compiled for both need it.
#define DTRAIN_OPERATION static inline __attribute__((always_inline, overloadable))

#define DTRAIN_VECTORS(vector, integers)                                                                              \
  /* sum + a · b, rounded once. */                                                                                    \
  DTRAIN_OPERATION vector dtrain_add_product(vector sum, vector a, vector b) {                                        \
    return __builtin_elementwise_fma(a, b, sum);                                                                      \
  }                                                                                                                   \
  DTRAIN_OPERATION vector dtrain_sum(vector a, vector b) { return a + b; }                                            \
  DTRAIN_OPERATION vector dtrain_difference(vector a, vector b) { return a - b; }                                     \
  DTRAIN_OPERATION vector dtrain_product(vector a, vector b) { return a * b; }                                        \
  /* The larger of two; b where neither is. */                                                                        \
  DTRAIN_OPERATION vector dtrain_larger(vector a, vector b) { return a > b ? a : b; }                                 \
  /* 0 where `sign` is 0 or below, else `value`: also where `sign` is not a number. */                                \
  DTRAIN_OPERATION vector dtrain_rectified(vector value, vector sign) {                                               \
    return sign <= (vector)0.0f ? (vector)0.0f : value;                                                               \
  }                                                                                                                   \
  /* Which of four pixels has the largest value: the first of equals; 4 where `value` is 0 or below. */               \
  DTRAIN_OPERATION integers dtrain_place(vector p0, vector p1, vector p2, vector largest, vector value) {             \
    integers place = p2 == largest ? (integers)2 : (integers)3;                                                       \
    place = p1 == largest ? (integers)1 : place;                                                                      \
    place = p0 == largest ? (integers)0 : place;                                                                      \
    return value <= (vector)0.0f ? (integers)4 : place;                                                               \
  }                                                                                                                   \
  /* `value` where `place` is `here`, else 0. */                                                                      \
  DTRAIN_OPERATION vector dtrain_at_place(vector value, integers place, int here) {                                   \
    return place == (integers)here ? value : (vector)0.0f;                                                            \
  }

DTRAIN_VECTORS(dtrain_float8, dtrain_int8)
DTRAIN_VECTORS(dtrain_float16, dtrain_int16)
