import Failures

/// A few words of every rank on every rank. Exchanging them asks for no memory, so that it may be part of a step.
public final class WordExchange {
  /// Words of each rank.
  public let count: Int
  /// This rank's words, [count], to be set before `gather`.
  public let own: UnsafeMutablePointer<UInt64>

  private let communicator: any Communicator
  private let all: UnsafeMutablePointer<UInt64>
  private let sends: [Transfer]
  private let receives: [Transfer]

  public init(communicator: any Communicator, count: Int) {
    let (rank, size) = (communicator.rank, communicator.size)
    let all = UnsafeMutablePointer<UInt64>.allocate(capacity: max(1, count * size))
    all.initialize(repeating: 0, count: max(1, count * size))
    func block(_ owner: Int, peer: Int) -> Transfer {
      Transfer(peer: peer, tag: 0, bytes: UnsafeMutableRawBufferPointer(start: all + owner * count, count: count * 8))
    }
    let peers = (0..<size).filter { $0 != rank }
    self.communicator = communicator
    self.count = count
    self.all = all
    own = all + rank * count
    sends = peers.map { block(rank, peer: $0) }
    receives = peers.map { block($0, peer: $0) }
  }

  deinit { all.deallocate() }

  /// Brings every rank's words to every rank. Every rank has to call it.
  public func gather(phase: Phase) throws(Failure) {
    try sends.withUnsafeBufferPointer { (sends) throws(Failure) in
      try receives.withUnsafeBufferPointer { (receives) throws(Failure) in
        try communicator.exchange(sends: sends, receives: receives, phase: phase)
      }
    }
  }

  /// A word of a rank, after `gather`.
  public subscript(rank: Int, word: Int) -> UInt64 { all[rank * count + word] }
}
