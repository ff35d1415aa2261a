import Communication
import Failures

/// What one rank has kept, on rank 0's clock.
struct RankMoments: Equatable {
  struct Thread: Equatable {
    /// Moments that were there once, before the others.
    var dropped: Int
    /// Of the first moment there was.
    var firstNanoseconds: UInt64?
    var moments: [Moment]
  }

  var rank: Int
  /// When the process was started, where the system tells.
  var processStart: UInt64?
  var threads: [Thread]

  init(rank: Int, processStart: UInt64?, threads: [Thread]) {
    self.rank = rank
    self.processStart = processStart
    self.threads = threads
  }

  /// - Parameters:
  ///   - processStart: on this rank's clock, like the moments in the rings.
  ///   - clockOffset: from this rank's clock to rank 0's.
  init(rank: Int, processStart: UInt64?, rings: [MomentRing], clockOffset: Int64) {
    func moved(_ nanoseconds: UInt64) -> UInt64 { nanoseconds &+ UInt64(bitPattern: clockOffset) }
    self.init(
      rank: rank, processStart: processStart.map(moved),
      threads: rings.map { ring in
        Thread(
          dropped: ring.dropped, firstNanoseconds: ring.firstNanoseconds.map(moved),
          moments: ring.remaining.map { moment in
            var moment = moment
            moment.nanoseconds = moved(moment.nanoseconds)
            return moment
          })
      })
  }

  /// All ranks' on rank 0, by rank; nil on the others. Every rank has to call it.
  func gather(on communicator: any Communicator) throws(Failure) -> [RankMoments]? {
    let phase = Phase("gathering of the timeline")
    var own = words
    let sizes = try communicator.allGather(Self.bytes(of: UInt64(own.count)), phase: phase).map(Self.word)
    guard communicator.rank == 0 else {
      try Self.withBytes(of: &own) { (bytes) throws(Failure) in
        try communicator.exchange(sending: [Transfer(peer: 0, tag: 0, bytes: bytes)], phase: phase)
      }
      return nil
    }
    var ranks = [self]
    for peer in 1..<max(1, communicator.size) {
      var words = [UInt64](repeating: 0, count: Int(sizes[peer]))
      try Self.withBytes(of: &words) { (bytes) throws(Failure) in
        try communicator.exchange(receiving: [Transfer(peer: peer, tag: 0, bytes: bytes)], phase: phase)
      }
      ranks.append(RankMoments(rank: peer, words: words))
    }
    return ranks
  }

  // MARK: - As words of 64 bits

  /// Process start, threads; for each thread dropped, first moment, count, then two words a moment. 0 for none.
  var words: [UInt64] {
    var words = [processStart ?? 0, UInt64(threads.count)]
    words.reserveCapacity(2 + threads.reduce(0) { $0 + 3 + 2 * $1.moments.count })
    for thread in threads {
      words += [UInt64(thread.dropped), thread.firstNanoseconds ?? 0, UInt64(thread.moments.count)]
      for moment in thread.moments {
        words.append(moment.nanoseconds)
        words.append(UInt64(moment.kind.rawValue) | UInt64(moment.layer) << 16 | UInt64(moment.number) << 32)
      }
    }
    return words
  }

  /// - Parameter words: what `words` gave on a rank of the same program.
  init(rank: Int, words: [UInt64]) {
    var rest = words[...]
    func next() -> UInt64 { rest.popFirst() ?? 0 }
    let start = next()
    let count = next()
    var threads: [Thread] = []
    for _ in 0..<count {
      let (dropped, first, moments) = (next(), next(), next())
      threads.append(
        Thread(
          dropped: Int(dropped), firstNanoseconds: first == 0 ? nil : first,
          moments: (0..<moments).map { _ in Moment(nanoseconds: next(), packed: next()) }))
    }
    self.init(rank: rank, processStart: start == 0 ? nil : start, threads: threads)
  }

  private static func bytes(of word: UInt64) -> [UInt8] { withUnsafeBytes(of: word) { Array($0) } }

  private static func word(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }

  private static func withBytes(
    of words: inout [UInt64], _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let outcome = words.withUnsafeMutableBytes { bytes in
      Result { () throws(Failure) in try body(bytes) }
    }
    try outcome.get()
  }
}

extension Moment {
  fileprivate init(nanoseconds: UInt64, packed: UInt64) {
    self.init(
      nanoseconds: nanoseconds, kind: Kind(rawValue: UInt8(truncatingIfNeeded: packed)) ?? .pause,
      layer: UInt16(truncatingIfNeeded: packed >> 16), number: UInt32(truncatingIfNeeded: packed >> 32))
  }
}
