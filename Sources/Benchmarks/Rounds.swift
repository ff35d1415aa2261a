/// A figure that was measured once a round. On a machine whose clock changes the best is steadier than the median.
public struct Rounds: Equatable, Sendable {
  public enum Better: Sendable { case higher, lower }

  public let better: Better
  public private(set) var values: [Double] = []

  public init(_ better: Better, _ values: [Double] = []) {
    self.better = better
    self.values = values
  }

  mutating func append(_ value: Double) { values.append(value) }

  /// Not a number where nothing was measured.
  public var best: Double { (better == .higher ? values.max() : values.min()) ?? .nan }

  /// Of an even number of rounds the mean of the two in the middle; not a number where nothing was measured.
  public var median: Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
  }
}
