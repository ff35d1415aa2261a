/// The processor for which this module was compiled. Its kernels are not to be called on a lesser one.
public enum ProcessorBaseline: String, Sendable {
  /// AVX2, FMA, BMI and friends: Intel since Haswell, AMD since Excavator.
  case x86v3 = "x86-64-v3"
  /// Whatever the compiler takes for granted.
  case any

  #if BASELINE_X86_64_V3
    public static let required = ProcessorBaseline.x86v3
  #else
    public static let required = ProcessorBaseline.any
  #endif
}
