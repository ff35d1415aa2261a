import Kernels

/// max(0, x), value by value. Usually fused into the layer before it; see `LayerPlanner`.
public final class ReLU: Layer {
  public let name: String
  public let outputShape: FeatureShape
  public var inputLayout: ActivationLayout { ActivationLayout(shape: outputShape, border: 0) }

  public init(name: String, inputShape: FeatureShape) {
    self.name = name
    outputShape = inputShape
  }

  public func makePass(_ connection: LayerConnection) -> LayerPass { ReLUPass(connection) }
}

private final class ReLUPass: LayerPass {
  private let connection: LayerConnection

  init(_ connection: LayerConnection) { self.connection = connection }

  func forward(_ group: SampleGroup) {
    for sample in 0..<group.count {
      rectify(
        connection.input.start(of: sample), connection.input.layout.plane, to: connection.output.start(of: sample),
        connection.output.layout.plane)
    }
  }

  // Where the input is a ReLU's output already, the mask of this layer's output is the same one.
  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    guard let inputGradient = connection.inputGradient else { return }
    for sample in 0..<group.count {
      maskGradient(
        connection.outputGradient.start(of: sample), connection.outputGradient.layout.plane,
        by: connection.output.start(of: sample), connection.output.layout.plane,
        to: inputGradient.start(of: sample), inputGradient.layout.plane)
    }
  }
}
