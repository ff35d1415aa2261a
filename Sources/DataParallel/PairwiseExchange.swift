import Communication
import Failures
import Kernels

/// How ranks bring their roots together. What is added in which order is the tree's in each, so the bits are the same.
public enum ExchangeForm: String, CaseIterable, Sendable {
  /// Each rank sends to each other: of every root its slice, then every finished slice. Two exchanges of size - 1
  /// messages and more; for any number of ranks and leaves.
  case direct
  /// Recursive doubling: in round k ranks 2^k apart exchange the sums that they have so far, whole. log2(size) messages,
  /// the fewest bytes being of no weight.
  case doubling
  /// Recursive halving, then doubling: in round k ranks 2^k apart exchange halves of what they still add up, and give each
  /// other the finished parts on the way back. 2 log2(size) messages with 2 (1 - 1/size) times the vector's bytes, the
  /// fewest possible (Rabenseifner, "Optimization of collective reduction operations", 2004).
  case halving

  /// The bytes of a gradient up to which messages cost more than what is in them.
  static let largestDoubled = 16 << 10
  /// The ranks up to which it pays that all send at once.
  static let mostDirectRanks = 8

  /// The one that is chosen for ranks that have one root each, in a tree whose upper levels pair them.
  static func suited(toBytes bytes: Int, ranks: Int) -> ExchangeForm {
    if bytes <= largestDoubled { return .doubling }
    return ranks > mostDirectRanks ? .halving : .direct
  }
}

/// The exchange of ranks that are a power of two and have one root each: in rounds, between pairs.
///
/// Round k joins the ranks' groups of 2^k, which is a level of the gradient tree: so a rank that adds what it has to what
/// its partner has adds two children of a node.
final class PairwiseExchange {
  private let communicator: any Communicator
  private let rounds: Int
  /// What the partner has.
  private let other: GradientVector
  private var sends: [Transfer] = []
  private var receives: [Transfer] = []
  /// By round: what is still this rank's to add up, in units of 16 floats.
  private var kept: [Range<Int>] = []

  init(communicator: any Communicator, parameterCount: Int) throws(Failure) {
    self.communicator = communicator
    rounds = communicator.size.trailingZeroBitCount
    other = try GradientVector(count: parameterCount)
    sends.reserveCapacity(2)
    receives.reserveCapacity(2)
    kept.reserveCapacity(rounds + 1)
  }

  /// Adds the roots of all ranks.
  ///
  /// - Parameters:
  ///   - own: this rank's root, which is overwritten; its trailer then holds the statistics of all.
  ///   - mean: becomes the sum over the ranks, divided by the samples; with `halving`, this rank's part of it.
  /// - Throws: what the exchange throws.
  func reduce(
    _ own: GradientVector, into mean: GradientVector, by form: ExchangeForm, phase: Phase
  ) throws(Failure) -> StepStatistics {
    let whole = 0..<own.paddedCount / GradientVector.unit
    kept.removeAll(keepingCapacity: true)
    kept.append(whole)
    for round in 0..<rounds {
      let isLeft = communicator.rank & 1 << round == 0
      let range = kept[round]
      let middle = (range.lowerBound + range.upperBound) / 2
      let (lower, upper) = (range.lowerBound..<middle, middle..<range.upperBound)
      if form == .doubling {
        kept.append(whole)
        start(own.bytes, other.bytes)
      } else {
        kept.append(isLeft ? lower : upper)
        start(own.bytes(of: isLeft ? upper : lower), other.bytes(of: isLeft ? lower : upper))
        append(own.trailerBytes, other.trailerBytes)
      }
      try exchange(round, after: round, phase)
      Trailer.add(other.trailer, into: own.trailer)
      add(kept[round + 1], own, isLeft: isLeft, into: round == rounds - 1 ? mean : nil)
    }
    return own.statistics
  }

  /// Adds what has come to what was here, the left child of the tree's node first.
  private func add(_ units: Range<Int>, _ own: GradientVector, isLeft: Bool, into mean: GradientVector?) {
    let (offset, count) = (units.lowerBound * GradientVector.unit / 8, units.count * GradientVector.unit / 8)
    let (mine, theirs) = (own.vectors + offset, other.vectors + offset)
    let (left, right) = isLeft ? (mine, theirs) : (theirs, mine)
    if let mean {
      let samples = Float(own.statistics.samples)
      GradientAddition.addAndDivide(left, right, by: samples, into: mean.vectors + offset, count: count)
    } else {
      GradientAddition.add(left, right, into: mine, count: count)
    }
  }

  /// Brings the parts that `halving` has finished to every rank.
  func gather(_ mean: GradientVector, phase: Phase) throws(Failure) {
    for round in (0..<rounds).reversed() {
      let (range, own) = (kept[round], kept[round + 1])
      let theirs =
        own.lowerBound == range.lowerBound
        ? own.upperBound..<range.upperBound
        : range.lowerBound..<own.lowerBound
      start(mean.bytes(of: own), mean.bytes(of: theirs))
      try exchange(round, after: 2 * rounds - 1 - round, phase)
    }
  }

  private func start(_ sent: UnsafeMutableRawBufferPointer, _ received: UnsafeMutableRawBufferPointer) {
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    append(sent, received)
  }

  private func append(_ sent: UnsafeMutableRawBufferPointer, _ received: UnsafeMutableRawBufferPointer) {
    if !sent.isEmpty { sends.append(Transfer(peer: 0, tag: 0, bytes: sent)) }
    if !received.isEmpty { receives.append(Transfer(peer: 0, tag: 0, bytes: received)) }
  }

  private func exchange(_ round: Int, after earlier: Int, _ phase: Phase) throws(Failure) {
    let partner = communicator.rank ^ 1 << round
    for index in sends.indices { sends[index].peer = partner }
    for index in receives.indices { receives[index].peer = partner }
    try sends.withUnsafeBufferPointer { (sends) throws(Failure) in
      try receives.withUnsafeBufferPointer { (receives) throws(Failure) in
        try communicator.exchange(sends: sends, receives: receives, phase: phase, relay: .afterRounds(earlier))
      }
    }
  }
}

extension GradientVector {
  /// Floats and trailer.
  fileprivate var bytes: UnsafeMutableRawBufferPointer {
    let floatBytes = paddedCount * MemoryLayout<Float>.stride
    return UnsafeMutableRawBufferPointer(start: floats, count: floatBytes + Trailer.byteCount)
  }

  fileprivate var trailerBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: trailer, count: Trailer.byteCount)
  }

  fileprivate func bytes(of units: Range<Int>) -> UnsafeMutableRawBufferPointer {
    let unitBytes = Self.unit * MemoryLayout<Float>.stride
    return UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(floats) + units.lowerBound * unitBytes, count: units.count * unitBytes)
  }
}
