import Kernels

/// The largest value of each window; of equal ones the first, row by row.
public final class MaxPooling: Layer {
  public let name: String
  public let size: Int
  public let stride: Int
  public let inputShape: FeatureShape
  public let outputShape: FeatureShape
  public var inputLayout: ActivationLayout { ActivationLayout(shape: inputShape, border: 0) }
  public var forwardOperations: Int { outputShape.count * (size * size - 1) }

  /// - Parameters:
  ///   - size: rows and columns of a window; at most the input's.
  ///   - stride: pixels from one window to the next. Pixels that no whole window covers are left out.
  public init(name: String, inputShape: FeatureShape, size: Int, stride: Int) {
    self.name = name
    self.size = size
    self.stride = stride
    self.inputShape = inputShape
    outputShape = FeatureShape(
      channels: inputShape.channels, height: (inputShape.height - size) / stride + 1,
      width: (inputShape.width - size) / stride + 1)
  }

  public func makePass(_ connection: LayerConnection) -> LayerPass { MaxPoolingPass(self, connection) }
}

private final class MaxPoolingPass: LayerPass {
  private let layer: MaxPooling
  private let connection: LayerConnection
  private let placeCount: Int
  private let places: UnsafeMutablePointer<Int32>

  init(_ layer: MaxPooling, _ connection: LayerConnection) {
    self.layer = layer
    self.connection = connection
    placeCount = ActivationLayout(shape: layer.outputShape, border: 0).sampleStride
    places = UnsafeMutableRawPointer(connection.arena.allocate(placeCount * connection.samples))
      .bindMemory(to: Int32.self, capacity: placeCount * connection.samples)
  }

  func forward(_ group: SampleGroup) {
    for sample in 0..<group.count {
      maxPool(
        connection.input.start(of: sample), connection.input.layout.plane, size: layer.size, stride: layer.stride,
        to: connection.output.start(of: sample), connection.output.layout.plane,
        places: places + sample * placeCount)
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    guard let inputGradient = connection.inputGradient else { return }
    let layout = inputGradient.layout
    for sample in 0..<group.count {
      let target = inputGradient.base + sample * layout.sampleStride
      target.update(repeating: 0, count: layout.sampleStride)
      maxPoolGradient(
        connection.outputGradient.start(of: sample), connection.outputGradient.layout.plane,
        places: places + sample * placeCount, size: layer.size, stride: layer.stride,
        to: inputGradient.start(of: sample), layout.plane)
      if connection.inputIsRectified {
        maskGradient(
          inputGradient.start(of: sample), layout.plane, by: connection.input.start(of: sample),
          connection.input.layout.plane, to: inputGradient.start(of: sample), layout.plane)
      }
    }
  }
}
