/// What reductions took on one rank, in nanoseconds, by a clock that nobody sets.
public struct ReductionTimes: Equatable, Sendable {
  /// Computing this rank's leaves and adding them.
  public var computation: UInt64 = 0
  /// Waiting for other ranks and moving bytes.
  public var exchange: UInt64 = 0

  public init(computation: UInt64 = 0, exchange: UInt64 = 0) {
    self.computation = computation
    self.exchange = exchange
  }
}
