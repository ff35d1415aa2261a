import Communication
import Failures

/// The exchange of ranks on one node, any number of them with any number of roots: through memory that all of them see.
///
/// Of few bytes each rank finishes the whole tree for itself; of more, each finishes it for its slice.
final class SharedExchange: RootExchange {
  let form = ExchangeForm.shared
  /// Bytes of a gradient up to which it costs less to add everything than to wait for others once more.
  static let largestWhole = 16 << 10

  private(set) var finishing: UInt64 = 0
  private let shared: SharedRoots
  private let finishesWhole: Bool
  var slices: [Range<Int>] { shared.slices }
  /// Copies of other ranks' roots, where each rank adds all.
  private var staging: AlignedMemory<SIMD8<Float>>
  /// The statistics of all roots.
  private var trailers: AlignedMemory<Double>
  private var operands: [UnsafeMutablePointer<SIMD8<Float>>] = []

  /// - Parameter isSharded: whether each rank has to finish its slice, however few bytes there are.
  init(_ shared: SharedRoots, isSharded: Bool) throws(Failure) {
    self.shared = shared
    finishesWhole = !isSharded && shared.floats * MemoryLayout<Float>.stride <= Self.largestWhole
    staging = try AlignedMemory(count: 0)
    trailers = try AlignedMemory(count: 0)
  }

  func takes(_ plan: ReductionPlan) -> Bool { shared.take(plan) }

  func reserve(for plan: ReductionPlan) throws(Failure) {
    try staging.reserve(finishesWhole ? plan.roots.count * shared.floats / 8 : 0)
    try trailers.reserve(plan.roots.count * Trailer.count)
    operands.reserveCapacity(plan.roots.count)
  }

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double> {
    try shared.show(plan, vectors, phase: phase)
    // To ask for the time twice would take as long as to add few bytes.
    let start = finishesWhole ? 0 : monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    locateRoots(plan, vectors)
    plan.finishing.add(trailers.start)
    let statistics = Trailer.read(trailers.start)
    let finished = finishesWhole ? 0..<shared.floats : shared.slices[shared.place]
    plan.finishing.mean(
      of: operands, count: finished.count / 8, samples: max(1, statistics.samples),
      into: mean.vectors + finished.lowerBound / 8)
    finishing = finishesWhole ? 0 : monotonicNanoseconds() - start
    return UnsafePointer(trailers.start)
  }

  /// Fills in where each root's floats are that this rank adds, and its statistics. A slice that other ranks show is this
  /// rank's alone to change; of what all add, this rank has to have a copy.
  private func locateRoots(_ plan: ReductionPlan, _ vectors: [GradientVector]) {
    operands.removeAll(keepingCapacity: true)
    let offset = finishesWhole ? 0 : shared.slices[shared.place].lowerBound / 8
    var next = staging.start
    for (owner, roots) in plan.rootsOfRank.enumerated() {
      for (turn, index) in roots.enumerated() {
        (trailers.start + index * Trailer.count)
          .update(from: shared.trailer(ofRoot: turn, ofPlace: owner), count: Trailer.count)
        let shown = shared.vectors(ofRoot: turn, ofPlace: owner)
        if let slot = plan.roots[index].slot {
          operands.append(vectors[slot].vectors + offset)
        } else if finishesWhole {
          next.update(from: shown, count: shared.floats / 8)
          operands.append(next)
          next += shared.floats / 8
        } else {
          operands.append(shown + offset)
        }
      }
    }
  }

  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    if !finishesWhole { try shared.exchangeSlices(floats, phase: phase) }
  }
}
