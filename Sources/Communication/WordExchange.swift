import Failures

/// A few words of every rank on every rank. Exchanging them asks for no memory, so that it may be part of a step.
public final class WordExchange {
  /// Words of each rank.
  public let count: Int
  /// This rank's words, [count], to be set before `gather`.
  public let own: UnsafeMutablePointer<UInt64>

  private let communicator: any Communicator
  private let all: UnsafeMutablePointer<UInt64>
  private let gathering: BlockGathering

  public init(communicator: any Communicator, count: Int) {
    let (rank, size) = (communicator.rank, communicator.size)
    all = .allocate(capacity: max(1, count * size))
    all.initialize(repeating: 0, count: max(1, count * size))
    self.communicator = communicator
    self.count = count
    own = all + rank * count
    gathering = BlockGathering(
      rank: rank, size: size, memory: all, bytesPerBlock: count * MemoryLayout<UInt64>.stride)
  }

  deinit { all.deallocate() }

  /// Brings every rank's words to every rank. Every rank has to call it.
  ///
  /// - Parameter relay: where some ranks come later than others, since they wait for others first.
  public func gather(phase: Phase, relay: Relay? = nil) throws(Failure) {
    try gathering.run(on: communicator, phase: phase, relay: relay)
  }

  /// A word of a rank, after `gather`.
  public subscript(rank: Int, word: Int) -> UInt64 { all[rank * count + word] }
}
