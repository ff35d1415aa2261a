import Communication
import Failures

/// Where the ranks of one node show each other their roots, and what each has finished of the gradient.
///
/// Roots go to two places in turn. A rank writes to a place again only after every rank of the node has come to the
/// reduction in between, and so is done with what was there.
final class SharedRoots {
  /// Bytes that a node's ranks share at most, all together.
  static let largestMemory = 256 << 20

  /// This rank's place on its node, from 0.
  var place: Int { regions.place }
  /// The ranks of this node.
  var ranks: Range<Int> { regions.ranks }
  var nodes: Int { regions.nodes }
  /// Floats of a gradient.
  let floats: Int
  /// What each rank of the node adds up, by place.
  let slices: [Range<Int>]
  private let regions: SharedRegions
  private let rootCapacity: Int
  /// Reductions so far.
  private var number: UInt64 = 0

  private var rootBytes: Int { floats * MemoryLayout<Float>.stride + Trailer.byteCount }

  /// Nil on every rank where they share no memory, or too little. Every rank has to make one at the same time.
  ///
  /// - Parameters:
  ///   - floats: of a gradient, a multiple of 16.
  ///   - rootCapacity: the most roots of a rank.
  ///   - ranksPerNode: the most ranks of a node.
  init?(communicator: any Communicator, floats: Int, rootCapacity: Int, ranksPerNode: Int) throws(Failure) {
    guard communicator.size > 1, Self.fit(floats: floats, rootCapacity: rootCapacity, ranksPerNode: ranksPerNode),
      let regions = try communicator.shareMemory(
        byteCount: Self.byteCount(floats: floats, rootCapacity: rootCapacity))
    else { return nil }
    self.floats = floats
    self.rootCapacity = rootCapacity
    self.regions = regions
    slices = GradientVector.slices(of: 0..<floats, count: regions.ranks.count)
  }

  /// Of a rank's region: its roots in two places, and the mean.
  private static func byteCount(floats: Int, rootCapacity: Int) -> Int {
    let floatBytes = floats * MemoryLayout<Float>.stride
    return 2 * rootCapacity * (floatBytes + Trailer.byteCount) + floatBytes
  }

  /// Whether that is no more than a node's ranks should share.
  static func fit(floats: Int, rootCapacity: Int, ranksPerNode: Int) -> Bool {
    byteCount(floats: floats, rootCapacity: rootCapacity) <= largestMemory / ranksPerNode
  }

  /// Whether there is room for the roots of this plan.
  func take(_ plan: ReductionPlan) -> Bool { plan.rootsOfRank.allSatisfy { $0.count <= rootCapacity } }

  /// Copies this rank's roots to where the others see them, and waits for theirs.
  func show(_ plan: ReductionPlan, _ vectors: [GradientVector], phase: Phase) throws(Failure) {
    number += 1
    for (turn, index) in plan.rootsOfRank[ranks.lowerBound + place].enumerated() {
      guard let slot = plan.roots[index].slot else { continue }
      start(ofRoot: turn, ofPlace: place).copyMemory(
        from: UnsafeRawPointer(vectors[slot].floats), byteCount: rootBytes)
    }
    regions.raise(.written, to: number)
    try regions.wait(for: .written, toReach: number, phase: phase)
  }

  /// The `turn`-th root of a rank in this reduction. A slice of it is for the rank of that slice to change.
  func vectors(ofRoot turn: Int, ofPlace owner: Int) -> UnsafeMutablePointer<SIMD8<Float>> {
    start(ofRoot: turn, ofPlace: owner).assumingMemoryBound(to: SIMD8<Float>.self)
  }

  /// Its statistics.
  func trailer(ofRoot turn: Int, ofPlace owner: Int) -> UnsafePointer<Double> {
    let trailer = start(ofRoot: turn, ofPlace: owner) + floats * MemoryLayout<Float>.stride
    return UnsafePointer(trailer.assumingMemoryBound(to: Double.self))
  }

  /// Shows this rank's slice of what is finished, and takes those of the others. Once after each `show`.
  ///
  /// - Parameter relay: what the others may have to wait for first.
  func exchangeSlices(_ floats: UnsafeMutablePointer<Float>, phase: Phase, relay: Relay? = nil) throws(Failure) {
    copy(slices[place], from: floats, to: finished(ofPlace: place))
    regions.raise(.finished, to: number)
    try regions.wait(for: .finished, toReach: number, phase: phase, relay: relay)
    for owner in slices.indices where owner != place {
      copy(slices[owner], from: finished(ofPlace: owner), to: floats)
    }
  }

  private func copy(
    _ slice: Range<Int>, from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) { (target + slice.lowerBound).update(from: source + slice.lowerBound, count: slice.count) }

  private func start(ofRoot turn: Int, ofPlace owner: Int) -> UnsafeMutableRawPointer {
    regions.start(ofPlace: owner) + (Int(number % 2) * rootCapacity + turn) * rootBytes
  }

  /// Of what is finished, in whole; its rank fills its slice alone.
  private func finished(ofPlace owner: Int) -> UnsafeMutablePointer<Float> {
    (regions.start(ofPlace: owner) + 2 * rootCapacity * rootBytes).assumingMemoryBound(to: Float.self)
  }
}
