/// What follows the inverse transform in the same pass.
public enum WinogradEpilogue {
  /// Nothing: the gradient of an input that no ReLU made.
  case none
  /// Adds the bias.
  case bias(UnsafePointer<Float>)
  /// Adds the bias, then max(0, y).
  case biasAndReLU(UnsafePointer<Float>)
  /// Keeps the gradient only where the activation, which lies as the destination does but with strides of its own,
  /// is positive: ReLU's backward.
  case mask(UnsafePointer<Float>, blockStride: Int, rowStride: Int)
}
