/// What one sample is between two layers: channels, rows and columns. A vector of n features is [n, 1, 1].
public struct FeatureShape: Equatable, Sendable, CustomStringConvertible {
  public let channels: Int
  public let height: Int
  public let width: Int

  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// A vector.
  public init(features: Int) { self.init(channels: features, height: 1, width: 1) }

  /// The number of values.
  public var count: Int { channels * height * width }

  public var description: String { height == 1 && width == 1 ? "[\(channels)]" : "[\(channels), \(height), \(width)]" }
}
