import Communication
import Failures

/// The exchange of ranks on one node, any number of them with any number of roots: through memory that all of them see.
///
/// Of few bytes each rank finishes the whole tree for itself; of more, each finishes it for its slice.
final class SharedExchange: RootExchange {
  let form = ExchangeForm.shared
  /// Bytes of a gradient up to which it costs less to add everything than to wait for others once more.
  static let largestWhole = 16 << 10

  var finishing: UInt64 { lastFinishing }
  // Private: of what other files may read, each access is checked at run time.
  private var lastFinishing: UInt64 = 0
  private let shared: SharedRoots
  private let finishesWhole: Bool
  var slices: [Range<Int>] { shared.slices }
  /// The floats that this rank finishes.
  private let finished: Range<Int>
  /// By number of leaves and half of the roots.
  private var layouts: [Layout?] = []

  /// What reductions of one plan read and write whose roots are in one half. A slice that other ranks show is
  /// this rank's alone to change; of what all add, this rank has to have a copy.
  ///
  /// A class, so that to walk its lists counts no reference: of few bytes that would take as long as the bytes.
  private final class Layout {
    let view: SharedRoots.View
    private let additions: [ReductionPlan.Addition]
    private let count: Int
    /// What to add, of each root.
    private let operands: [UnsafeMutablePointer<SIMD8<Float>>]
    /// The roots of which there has to be a copy.
    private let copied: [Int]
    /// The statistics of all roots.
    private let trailers: AlignedMemory<Double>
    private let copies: AlignedMemory<SIMD8<Float>>

    init(
      _ view: SharedRoots.View, _ plan: ReductionPlan, _ stock: [GradientVector], finished: Range<Int>, copies: Bool
    ) throws(Failure) {
      self.view = view
      additions = plan.finishing
      count = finished.count / 8
      copied = copies ? plan.roots.indices.filter { plan.roots[$0].slot == nil } : []
      trailers = try AlignedMemory(count: plan.roots.count * Trailer.count)
      self.copies = try AlignedMemory(count: copied.count * count)
      var operands = view.vectors.map { $0 + finished.lowerBound / 8 }
      for (index, root) in plan.roots.enumerated() {
        if let slot = root.slot { operands[index] = stock[slot].vectors + finished.lowerBound / 8 }
      }
      for (turn, index) in copied.enumerated() { operands[index] = self.copies.start + turn * count }
      self.operands = operands
    }

    /// Adds what is shown, once all ranks have.
    ///
    /// - Parameter mean: [count], becomes the sum divided by the samples.
    /// - Returns: the sum of all trailers.
    func finish(_ mean: UnsafeMutablePointer<SIMD8<Float>>) -> UnsafePointer<Double> {
      view.copyStatistics(to: trailers.start)
      for index in copied { operands[index].update(from: view.vectors[index], count: count) }
      additions.add(trailers.start)
      let samples = Trailer.read(trailers.start).samples
      additions.mean(of: operands, count: count, samples: max(1, samples), into: mean)
      return UnsafePointer(trailers.start)
    }
  }

  /// - Parameter isSharded: whether each rank has to finish its slice, however few bytes there are.
  init(_ shared: SharedRoots, isSharded: Bool) {
    self.shared = shared
    finishesWhole = !isSharded && shared.floats * MemoryLayout<Float>.stride <= Self.largestWhole
    finished = finishesWhole ? 0..<shared.floats : shared.slices[shared.place]
  }

  var gathers: Bool { !finishesWhole }

  func takes(_ plan: ReductionPlan) -> Bool { shared.take(plan) }

  func reserve(for plan: ReductionPlan, _ stock: [GradientVector]) throws(Failure) {
    while layouts.count < 2 * plan.leaves + 2 { layouts.append(nil) }
    for (half, view) in shared.views(plan, stock).enumerated() {
      layouts[2 * plan.leaves + half] = try Layout(view, plan, stock, finished: finished, copies: finishesWhole)
    }
  }

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double> {
    guard let layout = layouts[2 * plan.leaves + shared.begin()] else {
      throw Failure(.software, "no plan for \(plan.leaves) leaves in \(phase)", remedy: "report this: it is a defect")
    }
    try shared.show(layout.view, phase: phase)
    // To ask for the time twice would take as long as to add few bytes.
    let start = finishesWhole ? 0 : monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    let trailer = layout.finish(mean.vectors + finished.lowerBound / 8)
    if !finishesWhole { lastFinishing = monotonicNanoseconds() - start }
    return trailer
  }

  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    try shared.exchangeSlices(floats, phase: phase)
  }
}
