/// Images a second over the recent past.
public struct RateMeter: Sendable {
  /// Seconds after which what was counted has lost most of its weight.
  private let horizon: Double
  private var last: Double?
  private var images = 0.0
  private var seconds = 0.0

  public init(horizon: Double = 5) { self.horizon = horizon }

  /// Starts to count at this moment (seconds), and again after a pause that is not to count.
  public mutating func start(at now: Double) { last = now }

  /// Counts images that are done at this moment.
  public mutating func add(_ count: Int, at now: Double) {
    defer { last = now }
    guard let last, now > last else { return }
    let elapsed = now - last
    let weight = horizon / (horizon + elapsed)
    images = images * weight + Double(count)
    seconds = seconds * weight + elapsed
  }

  /// Nil before anything was counted.
  public var imagesPerSecond: Double? { seconds > 0 ? images / seconds : nil }
}

/// The mean over roughly the last samples: exact until the horizon, then the old ones fade.
public struct RecentMean: Sendable {
  private let horizon: Double
  private var sum = 0.0
  private var weight = 0.0

  /// - Parameter horizon: in samples.
  public init(horizon: Double) { self.horizon = horizon }

  /// Adds some samples by the sum of their values.
  public mutating func add(sum new: Double, samples: Int) {
    let count = Double(samples)
    let kept = min(weight, max(0, horizon - count))
    if weight > 0 { sum *= kept / weight }
    sum += new
    weight = kept + count
  }

  /// Nil before anything was added.
  public var value: Double? { weight > 0 ? sum / weight : nil }
}
