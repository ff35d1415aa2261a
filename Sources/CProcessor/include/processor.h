#pragma once

/// Whether this processor and its operating system offer what x86-64-v3 promises (AVX2, FMA, BMI and friends).
/// Always 1 where the question does not arise.
int dtrain_processor_has_x86_64_v3(void);
