import Communication
import Failures

/// The exchange of ranks on one node, any number of them with any number of roots: through memory that all of them see.
///
/// Each rank copies its roots to where the others see them. Of few bytes each rank then finishes the whole tree; of more,
/// each finishes it for its slice, leaves that for the others to see, and takes theirs.
///
/// Roots go to two places in turn. A rank writes to a place again only after every rank has come to the reduction in
/// between, and so is done with what was there.
final class SharedExchange: RootExchange {
  /// Bytes of a gradient up to which it costs less to add everything than to wait for others once more.
  static let largestWhole = 16 << 10
  /// Bytes that a node's ranks share at most, all together: some systems have 64 MiB to share and no more.
  static let largestMemory = 32 << 20

  private(set) var finishing: UInt64 = 0
  private let regions: SharedRegions
  private let slices: [Range<Int>]
  private let floats: Int
  private let rootCapacity: Int
  private let finishesWhole: Bool
  /// Copies of other ranks' roots, where each rank adds all.
  private var staging: AlignedMemory<SIMD8<Float>>
  /// The statistics of all roots.
  private var trailers: AlignedMemory<Double>
  private var operands: [UnsafeMutablePointer<SIMD8<Float>>] = []
  /// Reductions so far.
  private var number: UInt64 = 0

  private var rank: Int { regions.rank }
  private static func rootBytes(_ floats: Int) -> Int { floats * MemoryLayout<Float>.stride + Trailer.byteCount }

  /// Nil on every rank where they share no memory, or too little. Every rank has to make one at the same time.
  ///
  /// - Parameters:
  ///   - slices: of the gradient, by rank, in floats.
  ///   - rootCapacity: the most roots of a rank.
  init?(
    communicator: any Communicator, slices: [Range<Int>], rootCapacity: Int
  ) throws(Failure) {
    self.slices = slices
    self.rootCapacity = rootCapacity
    floats = slices.last?.upperBound ?? 0
    finishesWhole = floats * MemoryLayout<Float>.stride <= Self.largestWhole
    let largestSlice = finishesWhole ? 0 : slices.map(\.count).max() ?? 0
    let byteCount = 2 * rootCapacity * Self.rootBytes(floats) + largestSlice * MemoryLayout<Float>.stride
    guard communicator.size > 1, byteCount <= Self.largestMemory / communicator.size,
      let regions = try communicator.shareMemory(byteCount: byteCount)
    else { return nil }
    self.regions = regions
    staging = try AlignedMemory(count: finishesWhole ? communicator.size * rootCapacity * floats / 8 : 0)
    trailers = try AlignedMemory(count: communicator.size * rootCapacity * Trailer.count)
    operands.reserveCapacity(communicator.size * rootCapacity)
  }

  /// Whether there is room for the roots of this plan.
  func takes(_ plan: ReductionPlan) -> Bool { plan.rootsOfRank.allSatisfy { $0.count <= rootCapacity } }

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> StepStatistics {
    number += 1
    for (place, index) in plan.rootsOfRank[rank].enumerated() {
      guard let slot = plan.roots[index].slot else { continue }
      root(place, ofRank: rank).copyMemory(
        from: UnsafeRawPointer(vectors[slot].floats), byteCount: Self.rootBytes(floats))
    }
    regions.raise(.written, to: number)
    try regions.wait(for: .written, toReach: number, phase: phase)

    let start = monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    locateRoots(plan, vectors)
    let statistics = plan.finishStatistics(trailers.start)
    let finished = finishesWhole ? 0..<floats : slices[rank]
    plan.finish(
      operands, count: finished.count / 8, samples: max(1, statistics.samples),
      into: mean.vectors + finished.lowerBound / 8)
    finishing = monotonicNanoseconds() - start
    return statistics
  }

  /// Fills in where each root's floats are that this rank adds, and its statistics. A slice that other ranks show is this
  /// rank's alone to change; of what all add, this rank has to have a copy.
  private func locateRoots(_ plan: ReductionPlan, _ vectors: [GradientVector]) {
    operands.removeAll(keepingCapacity: true)
    var next = staging.start
    for (owner, roots) in plan.rootsOfRank.enumerated() {
      for (place, index) in roots.enumerated() {
        let shown = root(place, ofRank: owner)
        let trailer = (shown + floats * MemoryLayout<Float>.stride).assumingMemoryBound(to: Double.self)
        (trailers.start + index * Trailer.count).update(from: trailer, count: Trailer.count)
        let vector = shown.assumingMemoryBound(to: SIMD8<Float>.self)
        if let slot = plan.roots[index].slot {
          operands.append(vectors[slot].vectors + (finishesWhole ? 0 : slices[rank].lowerBound / 8))
        } else if finishesWhole {
          next.update(from: vector, count: floats / 8)
          operands.append(next)
          next += floats / 8
        } else {
          operands.append(vector + slices[rank].lowerBound / 8)
        }
      }
    }
  }

  func gather(_ mean: GradientVector, phase: Phase) throws(Failure) {
    if finishesWhole { return }
    copy(slices[rank], from: mean.floats + slices[rank].lowerBound, to: finishedSlice(ofRank: rank))
    regions.raise(.finished, to: number)
    try regions.wait(for: .finished, toReach: number, phase: phase)
    for owner in slices.indices where owner != rank {
      copy(slices[owner], from: finishedSlice(ofRank: owner), to: mean.floats + slices[owner].lowerBound)
    }
  }

  private func copy(
    _ slice: Range<Int>, from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) { target.update(from: source, count: slice.count) }

  /// Where a rank shows a root in this reduction: floats and statistics.
  private func root(_ place: Int, ofRank owner: Int) -> UnsafeMutableRawPointer {
    let turn = Int(number % 2)
    return regions.start(ofRank: owner) + (turn * rootCapacity + place) * Self.rootBytes(floats)
  }

  private func finishedSlice(ofRank owner: Int) -> UnsafeMutablePointer<Float> {
    (regions.start(ofRank: owner) + 2 * rootCapacity * Self.rootBytes(floats)).assumingMemoryBound(to: Float.self)
  }
}
