/// What of a network matters to its cost.
public struct Workload: Equatable, Sendable {
  public var name: String
  public var parameters: Int
  /// Floating-point operations of one image, forward; a multiplication and an addition count as two.
  public var operations: Double
  /// Where the two are from.
  public var source: String

  public init(name: String, parameters: Int, operations: Double, source: String) {
    self.name = name
    self.parameters = parameters
    self.operations = operations
    self.source = source
  }
}

/// Networks of which others have published parameters and operations, for images of 224x224 pixels and 1000 classes.
///
/// Source of both numbers: the table of classification weights in torchvision's documentation, whose "GFLOPS" are
/// multiply-adds and are doubled here.
public enum PublishedNetwork: String, CaseIterable, Sendable {
  /// Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015: configuration D.
  case vgg16
  /// Szegedy et al., "Going deeper with convolutions", 2015.
  case googlenet
  /// He et al., "Deep residual learning for image recognition", 2016.
  case resnet50

  public var workload: Workload {
    let (parameters, multiplyAdds) =
      switch self {
      case .vgg16: (138_357_544, 15.47e9)
      case .googlenet: (6_624_904, 1.50e9)
      case .resnet50: (25_557_032, 4.09e9)
      }
    return Workload(
      name: rawValue, parameters: parameters, operations: 2 * multiplyAdds, source: "torchvision's table of weights")
  }
}
