import Arithmetic

/// The order in which an epoch visits the samples: a permutation that (seed, epoch) alone decide.
///
/// The storage is made once; `prepare` refills it. Many threads may read while none prepares.
public final class EpochOrder: @unchecked Sendable {
  public let seed: UInt64
  private var order: [UInt32]
  private var preparedEpoch: Int?

  /// - Parameter sampleCount: in [0, 2^32).
  public init(sampleCount: Int, seed: UInt64) {
    self.seed = seed
    order = [UInt32](repeating: 0, count: sampleCount)
  }

  public var count: Int { order.count }

  /// Makes this the order of `epoch`. Allocates nothing; costs nothing where it already is.
  public func prepare(epoch: Int) {
    guard preparedEpoch != epoch else { return }
    Permutation.fill(&order, seed: seed, epoch: epoch)
    preparedEpoch = epoch
  }

  /// The index in the data set of the sample that comes at `position`, once an epoch has been prepared.
  public subscript(position: Int) -> Int { Int(order[position]) }
}
