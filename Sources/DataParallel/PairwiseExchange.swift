import Communication
import Failures
import Kernels

/// The exchange of ranks that are a power of two and have one root each: in rounds, between pairs.
///
/// Round k joins the ranks' groups of 2^k, which is a level of the gradient tree: so a rank that adds what it has to what
/// its partner has adds two children of a node.
final class PairwiseExchange: RootExchange {
  let finishing: UInt64 = 0
  private let communicator: any Communicator
  let form: ExchangeForm
  let slices: [Range<Int>]
  private let doubles: Bool
  private let rounds: Int
  /// What the partner has.
  private let other: GradientVector
  private var sends: [Transfer] = []
  private var receives: [Transfer] = []
  /// By round: what is still this rank's to add up, in units of 16 floats.
  private var kept: [Range<Int>] = []

  /// - Parameter form: `doubling` or `halving`.
  init(_ form: ExchangeForm, communicator: any Communicator, parameterCount: Int) throws(Failure) {
    self.communicator = communicator
    self.form = form
    doubles = form == .doubling
    rounds = communicator.size.trailingZeroBitCount
    other = try GradientVector(count: parameterCount)
    let units = other.paddedCount / GradientVector.unit
    slices = (0..<communicator.size).map { [rounds] rank in
      let own = (0..<rounds).reduce(0..<units) { Self.half(of: $0, isLeft: rank & 1 << $1 == 0).kept }
      return own.lowerBound * GradientVector.unit..<own.upperBound * GradientVector.unit
    }
    sends.reserveCapacity(2)
    receives.reserveCapacity(2)
    kept.reserveCapacity(rounds + 1)
  }

  var gathers: Bool { !doubles }

  func takes(_ plan: ReductionPlan) -> Bool { plan.pairsRanks }

  func reserve(for plan: ReductionPlan, _ stock: [GradientVector]) {}

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double> {
    guard let slot = plan.roots[communicator.rank].slot else { return UnsafePointer(other.trailer) }
    let own = vectors[slot]
    let whole = 0..<own.paddedCount / GradientVector.unit
    kept.removeAll(keepingCapacity: true)
    kept.append(whole)
    for round in 0..<rounds {
      let isLeft = communicator.rank & 1 << round == 0
      begin()
      if doubles {
        kept.append(whole)
        add(own.bytes, other.bytes, round)
      } else {
        let half = Self.half(of: kept[round], isLeft: isLeft)
        kept.append(half.kept)
        add(bytes(own.floats, half.given), bytes(other.floats, half.kept), round)
        add(own.trailerBytes, other.trailerBytes, round)
      }
      try exchange(after: round, phase)
      Trailer.add(other.trailer, into: own.trailer)
      add(kept[round + 1], own, isLeft: isLeft, into: round == rounds - 1 ? mean : nil)
    }
    return UnsafePointer(own.trailer)
  }

  /// What a rank goes on to add up of a range of units, and what its partner does.
  private static func half(of range: Range<Int>, isLeft: Bool) -> (kept: Range<Int>, given: Range<Int>) {
    let (lower, upper) = GradientTree.children(of: range)
    return isLeft ? (lower, upper) : (upper, lower)
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

  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    for round in (0..<rounds).reversed() {
      let (range, own) = (kept[round], kept[round + 1])
      let theirs =
        own.lowerBound == range.lowerBound
        ? own.upperBound..<range.upperBound : range.lowerBound..<own.lowerBound
      begin()
      add(bytes(floats, own), bytes(floats, theirs), round)
      try exchange(after: 2 * rounds - 1 - round, phase)
    }
  }

  private func bytes(_ floats: UnsafeMutablePointer<Float>, _ units: Range<Int>) -> UnsafeMutableRawBufferPointer {
    let unitBytes = GradientVector.unit * MemoryLayout<Float>.stride
    return UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(floats) + units.lowerBound * unitBytes, count: units.count * unitBytes)
  }

  private func begin() {
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
  }

  /// To and from the partner of a round.
  private func add(
    _ sent: UnsafeMutableRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, _ round: Int
  ) {
    let partner = communicator.rank ^ 1 << round
    if !sent.isEmpty { sends.append(Transfer(peer: partner, tag: 0, bytes: sent)) }
    if !received.isEmpty { receives.append(Transfer(peer: partner, tag: 0, bytes: received)) }
  }

  private func exchange(after earlier: Int, _ phase: Phase) throws(Failure) {
    try communicator.exchange(sending: sends, receiving: receives, phase: phase, relay: .afterRounds(earlier))
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
}
