import CProcessor

/// How many bits of floats most kernels of convolutions and affine layers take at once. The bits of the results do not
/// depend on it.
public enum VectorWidth: Int, Sendable {
  /// The module Kernels.
  case bits256 = 256
  /// The module WideKernels: AVX-512.
  case bits512 = 512

  #if WIDE_VECTORS_CALLED
    /// What this build takes on this processor.
    public static let used = dtrain_processor_has_x86_64_v4() != 0 ? bits512 : bits256
  #else
    public static let used = bits256
  #endif
}
