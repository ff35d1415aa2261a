/// What follows the inverse transform in the same pass.
public enum WinogradEpilogue {
  /// Adds the bias.
  case bias(UnsafePointer<Float>)
  /// Adds the bias, then max(0, y).
  case biasAndReLU(UnsafePointer<Float>)
}

/// ReLU's backward, which keeps a gradient only where the activation is positive.
public struct WinogradMask {
  /// What the ReLU left, blocked as the gradient is but with strides of its own.
  public let activation: UnsafePointer<Float>
  public let blockStride: Int
  public let rowStride: Int

  public init(activation: UnsafePointer<Float>, blockStride: Int, rowStride: Int) {
    self.activation = activation
    self.blockStride = blockStride
    self.rowStride = rowStride
  }
}
