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

  /// Calls with the place of each value of each sample in a group: samples in order, then channel, row and column.
  @inlinable public func forEachValue(
    of group: SampleGroup, _ body: (_ sample: Int, _ channel: Int, _ row: Int, _ column: Int) -> Void
  ) {
    for sample in 0..<group.count {
      for channel in 0..<channels {
        for row in 0..<height {
          for column in 0..<width { body(sample, channel, row, column) }
        }
      }
    }
  }

  public var description: String { height == 1 && width == 1 ? "[\(channels)]" : "[\(channels), \(height), \(width)]" }
}
