/// A layer for whose activations and their gradients one buffer may do, which keeps both in a nearer cache.
///
/// Not for layers from elsewhere: what it promises nothing checks.
protocol ReplaceableActivations: Layer {
  /// Whether the gradient of the input may be written where the input is. Then the pass looks at no pixel of the input any
  /// more once it has written that pixel's gradient, and writes nothing outside the pixels, where the border stays 0.
  ///
  /// - Parameter rectified: whether the pass has to mask that gradient.
  func inputMayBeReplaced(rectified: Bool) -> Bool
  /// Whether the next layer may write there the gradient of the output. Then the pass looks at its output in no case
  /// backward, and forward writes all of it again, the lanes of channels that do not exist too.
  var outputMayBeReplaced: Bool { get }
}

extension Convolution: ReplaceableActivations {
  func inputMayBeReplaced(rectified: Bool) -> Bool { true }
  var outputMayBeReplaced: Bool { true }
}

extension Affine: ReplaceableActivations {
  // It masks at the end, by the whole input.
  func inputMayBeReplaced(rectified: Bool) -> Bool { !rectified }
  var outputMayBeReplaced: Bool { true }
}

extension MaxPooling: ReplaceableActivations {
  func inputMayBeReplaced(rectified: Bool) -> Bool { false }
  var outputMayBeReplaced: Bool { true }
}
