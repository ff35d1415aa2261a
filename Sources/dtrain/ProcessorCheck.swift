import CProcessor
import Failures
import Kernels

/// Looks whether this processor can run the kernels, before the first of them would end the program with a trap.
enum ProcessorCheck {
  /// - Parameters:
  ///   - required: what the kernels were compiled for.
  ///   - isX86v3: whether the processor and its system offer x86-64-v3.
  /// - Throws: a failure with `ExitCode.unavailable` that says how to build for this processor.
  static func verify(
    required: ProcessorBaseline = .required, isX86v3: () -> Bool = { dtrain_processor_has_x86_64_v3() != 0 }
  ) throws(Failure) {
    guard required == .x86v3, !isX86v3() else { return }
    throw Failure(
      .unavailable, "this processor lacks AVX2 or FMA, and the program was built for \(required.rawValue)",
      remedy: "rebuild it with 'DTRAIN_PROCESSOR=x86-64 swift build' (much slower, the same bits), or use a processor "
        + "made since 2013 (Intel) or 2015 (AMD)")
  }
}
