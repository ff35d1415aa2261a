import Communication
import Failures

/// Where the ranks of one node show each other their roots, and what each has finished of the gradient.
///
/// Roots go to two halves of a rank's region in turn. A rank writes to a half again only after every rank of the node has
/// come to the reduction in between, and so is done with what was there. The last word of the first root there is its mark.
final class SharedRoots {
  /// One plan's roots in one half: worked out once, since of few bytes to find out takes as long as to add them.
  final class View {
    /// Raised when a rank's roots are there.
    fileprivate let mark: SharedRegions.Mark
    /// This rank's, and where the others see them.
    private let shown: [(root: UnsafeRawPointer, seen: UnsafeMutableRawPointer)]
    /// Of all ranks of the node, one rank after another. A slice of them is for the rank of that slice to change.
    let vectors: [UnsafeMutablePointer<SIMD8<Float>>]
    private let trailers: [UnsafePointer<Double>]

    init(_ shared: SharedRoots, _ plan: ReductionPlan, _ stock: [GradientVector], half: Int) {
      mark = .beside((half * shared.rootCapacity + 1) * shared.rootBytes - MemoryLayout<Double>.stride)
      shown = plan.rootsOfRank[shared.ranks.lowerBound + shared.place].enumerated().compactMap { root, index in
        plan.roots[index].slot.map {
          (UnsafeRawPointer(stock[$0].floats), shared.start(ofRoot: root, ofPlace: shared.place, half: half))
        }
      }
      let starts = shared.ranks.enumerated().flatMap { owner, rank in
        (0..<plan.rootsOfRank[rank].count).map { shared.start(ofRoot: $0, ofPlace: owner, half: half) }
      }
      vectors = starts.map { $0.assumingMemoryBound(to: SIMD8<Float>.self) }
      trailers = starts.map {
        UnsafePointer(($0 + shared.floats * MemoryLayout<Float>.stride).assumingMemoryBound(to: Double.self))
      }
    }

    fileprivate func write(byteCount: Int) {
      for (root, seen) in shown { seen.copyMemory(from: root, byteCount: byteCount) }
    }

    /// - Parameter statistics: [roots, Trailer.count], of which the last word stays.
    func copyStatistics(to statistics: UnsafeMutablePointer<Double>) {
      for index in trailers.indices {
        (statistics + index * Trailer.count).update(from: trailers[index], count: Trailer.shownCount)
      }
    }
  }

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
  private let rootBytes: Int
  /// Reductions so far.
  private var number: UInt64 = 0

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
    rootBytes = floats * MemoryLayout<Float>.stride + Trailer.byteCount
    slices = GradientVector.slices(of: 0..<floats, count: regions.ranks.count)
  }

  /// Of a rank's region: its roots in both halves, and the mean.
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

  /// The roots of a plan in both halves.
  ///
  /// - Parameter stock: where this rank's roots are.
  func views(_ plan: ReductionPlan, _ stock: [GradientVector]) -> [View] {
    (0..<2).map { View(self, plan, stock, half: $0) }
  }

  /// Begins a reduction.
  ///
  /// - Returns: which half it takes.
  func begin() -> Int {
    number += 1
    return Int(number % 2)
  }

  /// Copies this rank's roots to where the others see them, and waits for theirs. Once after each `begin`, of its half.
  func show(_ view: View, phase: Phase) throws(Failure) {
    view.write(byteCount: rootBytes - MemoryLayout<Double>.stride)
    regions.raise(view.mark, to: number)
    try regions.wait(for: view.mark, toReach: number, phase: phase)
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

  /// A root of a rank in one half, by its number there.
  private func start(ofRoot root: Int, ofPlace owner: Int, half: Int) -> UnsafeMutableRawPointer {
    regions.start(ofPlace: owner) + (half * rootCapacity + root) * rootBytes
  }

  /// Of what is finished, in whole; its rank fills its slice alone.
  private func finished(ofPlace owner: Int) -> UnsafeMutablePointer<Float> {
    (regions.start(ofPlace: owner) + 2 * rootCapacity * rootBytes).assumingMemoryBound(to: Float.self)
  }
}
