import NeuralNetwork
import Testing

/// A layer as somebody writes it outside the module, with what is public alone: the identity.
private final class Identity: Layer {
  let name: String
  let outputShape: FeatureShape
  var inputLayout: ActivationLayout { ActivationLayout(shape: outputShape, border: 0) }

  init(name: String, inputShape: FeatureShape) { (self.name, outputShape) = (name, inputShape) }

  func makePass(_ ends: LayerConnection) -> LayerPass { IdentityPass(shape: outputShape, ends: ends) }
}

private final class IdentityPass: LayerPass {
  let shape: FeatureShape
  let ends: LayerConnection

  init(shape: FeatureShape, ends: LayerConnection) { (self.shape, self.ends) = (shape, ends) }

  func forward(_ group: SampleGroup) {
    shape.forEachValue(of: group) { i, c, y, x in ends.output[i, c, y, x] = ends.input[i, c, y, x] }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    shape.forEachValue(of: group) { i, c, y, x in
      let isMasked = ends.inputIsRectified && ends.input[i, c, y, x] <= 0
      ends.inputGradient?[i, c, y, x] = isMasked ? 0 : ends.outputGradient[i, c, y, x]
    }
  }
}

@Suite struct CustomLayerTests {
  /// Layers with and without borders around them, with channels that do not fill a block, and vectors.
  private func network(with extra: [LayerDescription]) throws -> TestNetwork {
    try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 12, width: 12),
      layers: [.convolution(filters: 11, size: 3, padding: 1, stride: 1)] + extra + [.relu] + extra
        + [.convolution(filters: 5, size: 5, padding: 2, stride: 2), .relu] + extra + [.affine(outputs: 7), .relu]
        + extra + [.affine(outputs: 4)],
      samples: 7, seed: 5, fused: !extra.isEmpty)
  }

  @Test func theIdentityChangesNoBit() throws {
    let (plain, longer) = (try network(with: []), try network(with: [.custom(Identity.init)]))
    let samples: [UInt32] = [0, 1, 2, 3, 4, 5, 6]
    #expect(plain.scores(of: samples).scores == longer.scores(of: samples).scores)
    #expect(plain.gradient(of: samples).gradient == longer.gradient(of: samples).gradient)
  }
}
