import Communication
import Failures
import Kernels

/// What a rank that has its slice of the mean gradient alone has to know of the whole, the same as of the whole in one
/// piece.
///
/// ZeRO, stage 1: Rajbhandari, Rasley, Ruwase and He, "ZeRO: memory optimizations toward training trillion parameter
/// models" (2020). A rank keeps the optimizer's state of its slice alone, and sends weights where it would send gradients.
extension OrderedAllReduce {
  /// The floats of which this rank has the mean gradient after `sum`, of whole units of 16; all where it is not sharded.
  public var slice: Range<Int> { isSharded ? direct.slices[rank] : 0..<mean.paddedCount }

  /// The slices of all ranks, by rank.
  public var slices: [Range<Int>] { isSharded ? direct.slices : [slice] }

  /// Brings what each rank has in its slice to every rank, at any time between two steps. Asks for memory.
  public func gatherApart(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    if isSharded { try direct.gather(floats, phase: phase) }
  }

  /// The same with the mean gradient.
  public func gatherGradientApart(phase: Phase) throws(Failure) { try gatherApart(mean.floats, phase: phase) }

  /// Whether all numbers of the mean gradient are finite. The same on every rank, each of which has to ask.
  ///
  /// How large its roots are travels with their statistics. Only where they might not be finite, or their sum overflow, do
  /// the ranks tell each other what each has in its slice.
  public func isFinite(phase: Phase) throws(Failure) -> Bool {
    guard let sharding else { return FiniteCheck.allAreFinite(gradient, count: parameterCount) }
    // What rounding adds to a sum is far less than the factor.
    if largestMagnitude < Double(Float.greatestFiniteMagnitude) / 2 { return true }
    return try sharding.allAgree(
      FiniteCheck.allAreFinite(gradient + slice.lowerBound, count: slice.count), phase: phase)
  }

  /// The sum of the squares of the mean gradient, in the order of `Kernels.squaredNorm`, so that it has the same bits: the
  /// running sums go from rank to rank, along the slices. Every rank has to ask.
  public func squaredNorm(phase: Phase) throws(Failure) -> Double {
    guard let sharding else { return Kernels.squaredNorm(count: parameterCount, gradient) }
    return try sharding.squaredNorm(gradient, count: parameterCount, phase: phase)
  }
}

/// Exchanges few numbers about slices. Asks for no memory.
final class ShardedNumbers {
  private let slice: Range<Int>
  /// How many ranks have a part of the vector before this one.
  private let turn: Int
  /// The rank that has the last part; nil where the vector is empty.
  private let last: Int?
  private let communicator: any Communicator
  private let words: WordExchange
  private let sums: UnsafeMutablePointer<SIMD8<Double>>
  private let receives: [Transfer]
  private let sends: [Transfer]

  init(communicator: any Communicator, slices: [Range<Int>]) {
    self.communicator = communicator
    let rank = communicator.rank
    slice = slices[rank]
    words = WordExchange(communicator: communicator, count: 1)
    sums = .allocate(capacity: 1)
    sums.initialize(to: .zero)
    let owners = slices.indices.filter { !slices[$0].isEmpty }.sorted { slices[$0].lowerBound < slices[$1].lowerBound }
    let bytes = UnsafeMutableRawBufferPointer(start: sums, count: MemoryLayout<SIMD8<Double>>.size)
    func transfer(with place: Int) -> [Transfer] {
      owners.indices.contains(place) ? [Transfer(peer: owners[place], tag: 0, bytes: bytes)] : []
    }
    let place = owners.firstIndex(of: rank)
    last = owners.last
    turn = place ?? 0
    receives = place.map { transfer(with: $0 - 1) } ?? []
    sends = place.map { transfer(with: $0 + 1) } ?? []
  }

  deinit { sums.deallocate() }

  func allAgree(_ isTrue: Bool, phase: Phase) throws(Failure) -> Bool {
    words.own[0] = isTrue ? 1 : 0
    try words.gather(phase: phase)
    return (0..<communicator.size).allSatisfy { words[$0, 0] == 1 }
  }

  /// - Parameter values: [count], of which this rank has its slice.
  func squaredNorm(_ values: UnsafePointer<Float>, count: Int, phase: Phase) throws(Failure) -> Double {
    sums.pointee = .zero
    try communicator.exchange(receiving: receives, phase: phase, relay: .afterRounds(turn))
    var norm = SquaredNorm(sums.pointee)
    let own = slice.clamped(to: 0..<count)
    norm.add(values + own.lowerBound, count: own.count / 8 * 8)
    sums.pointee = norm.sums
    try communicator.exchange(sending: sends, phase: phase)
    let rest = own.count % 8
    words.own[0] = norm.total(with: values + own.upperBound - rest, count: rest).bitPattern
    // The first in the chain is here long before the last, and is not to name it for another that does not come.
    try words.gather(phase: phase, relay: .afterRounds(communicator.size))
    return last.map { Double(bitPattern: words[$0, 0]) } ?? 0
  }
}
