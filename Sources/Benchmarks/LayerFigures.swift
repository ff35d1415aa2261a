import NeuralNetwork

/// What one layer costs, an image.
public struct LayerFigures: Equatable, Sendable {
  public let name: String
  /// "[16, 28, 28]".
  public let outputShape: String
  /// Floating-point operations of an image; a convolution counts as if computed directly, whatever its kernel does.
  public let forwardOperations: Int
  public let backwardOperations: Int
  /// Seconds of one thread.
  public internal(set) var forward = Rounds(.lower)
  public internal(set) var backward = Rounds(.lower)

  init(name: String, outputShape: String, forwardOperations: Int, backwardOperations: Int) {
    self.name = name
    self.outputShape = outputShape
    self.forwardOperations = forwardOperations
    self.backwardOperations = backwardOperations
  }

  init(_ layer: any Layer, isFirst: Bool) {
    self.init(
      name: layer.name, outputShape: layer.outputShape.description, forwardOperations: layer.forwardOperations,
      backwardOperations: layer.backwardOperations(isFirst: isFirst))
  }

  /// In the best round.
  public var forwardOperationsPerSecond: Double { Double(forwardOperations) / forward.best }
  public var backwardOperationsPerSecond: Double { Double(backwardOperations) / backward.best }

  static func list(_ network: Network) -> [LayerFigures] {
    network.segment.layers.enumerated().map { LayerFigures($1, isFirst: $0 == 0) }
  }
}

extension Layer {
  /// The gradient of the parameters and that of the input each take as many operations as the layer forward; nobody
  /// needs the gradient of the images.
  fileprivate func backwardOperations(isFirst: Bool) -> Int {
    let gradients = (parameterShapes.isEmpty ? 0 : 1) + (isFirst ? 0 : 1)
    return gradients * forwardOperations
  }
}
