#pragma once

/// Whether this processor and its operating system offer what x86-64-v3 promises (AVX2, FMA, BMI and friends).
/// Always 1 where the question does not arise.
int dtrain_processor_has_x86_64_v3(void);

/// Whether this processor and its operating system offer what x86-64-v4 promises: vectors of 512 bits (AVX-512F, BW, CD,
/// DQ, VL). Always 0 on other architectures.
int dtrain_processor_has_x86_64_v4(void);

/// Begins to bring the cache line that an address lies in nearer, and does not wait for it. Any address will do.
static inline void dtrain_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }
