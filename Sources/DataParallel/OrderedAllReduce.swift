import Communication
import Failures
import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The mean gradient of a batch: the same bits on every rank, at any number of ranks and workers.
///
/// What is added in which order is the `GradientTree`'s alone. A step goes like this:
///
/// 1. Each worker computes its microbatches' gradients and adds the subtrees within; the rank joins them to its roots.
/// 2. The vector is cut into one slice a rank. Slice s of every root goes to rank s. Each rank finishes the tree for
///    its slice and divides it by the number of samples.
/// 3. The finished slices go to every rank.
///
/// With one root a rank that moves what a bandwidth-optimal all-reduce moves (reduce-scatter, then all-gather: Patarasuk
/// and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009), and (1 + roots a rank) / 2
/// times that otherwise. The roots' statistics, 64 bytes each, go to all ranks with step 2, since each needs the number
/// of samples to divide by. Where the tree pairs the ranks, few bytes or many ranks go by another `ExchangeForm`.
///
/// With `Compression` the tree is cut into groups, and step 2 brings each group's compressed gradient to every rank, which
/// finishes the whole tree; there is no step 3.
///
/// Belongs to the thread that made it. After the first step with a number of leaves, steps with it allocate nothing but,
/// with several workers, the few bytes that hand `computeLeaf` to their threads.
public final class OrderedAllReduce {
  /// Told what the reduction is doing, if set.
  public var observer: (any ReductionObserver)?
  /// What the reductions so far took, added up.
  public private(set) var times = ReductionTimes()

  private let communicator: any Communicator
  private let parameterCount: Int
  private let threads: WorkerThreads
  /// Made when a number of leaves first comes, by that number: a run has two, the full batch's and the last one's.
  private var plans: [ReductionPlan?]
  private var vectors: [GradientVector] = []
  private let mean: GradientVector
  private let slices: [Range<Int>]
  private let groups: Int?
  private let compressed: CompressedExchange?
  /// Slices of other ranks' roots.
  private var staging: AlignedMemory<SIMD8<Float>>
  /// The statistics of all roots.
  private var trailers: AlignedMemory<Double>
  /// For ranks that the tree pairs; nil where their number is no power of two.
  private let pairs: PairwiseExchange?
  private let askedForm: ExchangeForm?
  /// Nanoseconds that the last exchange's own additions took.
  private var finishing: UInt64 = 0
  private let workerFailures: UnsafeMutablePointer<Failure?>
  /// Where the slice of each root lies.
  private var operands: [UnsafeMutablePointer<SIMD8<Float>>] = []
  private var sends: [Transfer] = []
  private var receives: [Transfer] = []

  public var rank: Int { communicator.rank }
  private var size: Int { communicator.size }
  /// What compression has left so far; nil without.
  public var residuals: GradientResiduals? { compressed?.residuals }
  /// For what floats this rank finishes the tree.
  private var finished: Range<Int> { compressed == nil ? slices[rank] : 0..<mean.paddedCount }

  /// - Parameters:
  ///   - parameterCount: the floats of a gradient.
  ///   - maximumLeaves: the microbatches of a full batch.
  ///   - workers: the threads that compute at the same time on this rank, the caller's included.
  ///   - compression: of what travels, checked; nil for none.
  ///   - form: how ranks exchange that the tree pairs, instead of what suits their number and the bytes.
  /// - Throws: `.osError` where memory or threads cannot be had.
  public init(
    communicator: any Communicator, parameterCount: Int, maximumLeaves: Int, workers: Int = 1,
    compression: Compression? = nil, form: ExchangeForm? = nil
  ) throws(Failure) {
    self.communicator = communicator
    self.parameterCount = parameterCount
    let ranks = communicator.size
    askedForm = form
    pairs =
      ranks > 1 && ranks & (ranks - 1) == 0
      ? try PairwiseExchange(communicator: communicator, parameterCount: parameterCount) : nil
    threads = try WorkerThreads(count: max(1, workers))
    plans = Array(repeating: nil, count: max(1, maximumLeaves) + 1)
    mean = try GradientVector(count: parameterCount)
    let units = 0..<mean.paddedCount / GradientVector.unit
    slices = (0..<ranks).map { rank in
      let share = GradientTree.share(rank, of: ranks, in: units)
      return share.lowerBound * GradientVector.unit..<share.upperBound * GradientVector.unit
    }
    groups = compression?.groups
    if let compression {
      compressed = try CompressedExchange(
        compression, communicator: communicator, count: parameterCount, workers: threads.count)
    } else {
      compressed = nil
    }
    staging = try AlignedMemory(count: 0)
    trailers = try AlignedMemory(count: 0)
    workerFailures = .allocate(capacity: threads.count)
    workerFailures.initialize(repeating: nil, count: threads.count)
    _ = try plan(forLeaves: max(1, maximumLeaves))
  }

  deinit {
    workerFailures.deinitialize(count: threads.count)
    workerFailures.deallocate()
  }

  /// Computes this rank's leaves, adds them in the tree's order, exchanges, and returns what is the same on every rank.
  ///
  /// - Parameters:
  ///   - leaves: the microbatches of this batch over all ranks, from 1 to `maximumLeaves`.
  ///   - phase: what an error of the exchange says.
  ///   - computeLeaf: writes the gradient of one microbatch's summed loss, every float of it, and sets the statistics.
  ///     Called once a leaf; at the same time on all workers, with one leaf at a time each.
  /// - Returns: the gradient of the mean loss, `parameterCount` floats that stay until the next reduction, and the sum
  ///   of the leaves' statistics.
  /// - Throws: what `computeLeaf` threw for the first leaf that failed here, or the exchange's failure. The other ranks
  ///   then wait for this one, so the job has to end.
  public func reduce(
    leaves: Int, phase: Phase,
    computeLeaf: (_ worker: Int, _ leaf: Int, _ into: GradientVector) throws(Failure) -> Void
  ) throws(Failure) -> (gradient: UnsafeMutablePointer<Float>, statistics: StepStatistics) {
    let plan = try plan(forLeaves: leaves)
    let start = monotonicNanoseconds()
    try compute(plan, computeLeaf)

    observer?.worker(0, enters: .addition)
    for addition in plan.joining { add(addition.right, into: addition.left) }
    compressed?.encode(plan, vectors, threads)

    observer?.worker(0, enters: .scattering)
    let computed = monotonicNanoseconds()
    try InjectedFault.strike(.scattering, rank: rank, step: phase.step ?? 0)
    let form = self.form(for: plan)
    let statistics = try form == .direct ? sumInSlices(plan, phase) : sumInPairs(plan, form, phase)

    guard statistics.samples > 0 else {
      throw Failure(
        .software, "no samples were counted in \(phase)", remedy: "report this: it is a defect of the program")
    }

    observer?.worker(0, enters: .gathering)
    try InjectedFault.strike(.gathering, rank: rank, step: phase.step ?? 0)
    switch form {
    case .direct: if compressed == nil { try gather(phase) }
    case .halving: try pairs?.gather(mean, phase: phase)
    case .doubling: break
    }
    times.computation += computed - start
    times.exchange += monotonicNanoseconds() - computed - finishing

    observer?.worker(0, enters: .idle)
    return (mean.floats, statistics)
  }

  /// What the last reduction came to: `parameterCount` floats.
  public var gradient: UnsafePointer<Float> { UnsafePointer(mean.floats) }

  private func plan(forLeaves leaves: Int) throws(Failure) -> ReductionPlan {
    guard leaves >= 1, leaves < plans.count else {
      throw Failure(
        .software, "a batch of \(leaves) microbatches where 1 to \(plans.count - 1) were planned for",
        remedy: "report this: it is a defect of the program")
    }
    if let plan = plans[leaves] { return plan }
    let plan = ReductionPlan(
      tree: GradientTree(leaves: leaves, ranks: size, groups: groups), rank: rank, workers: threads.count)
    while vectors.count < plan.slotCount { vectors.append(try GradientVector(count: parameterCount)) }
    try staging.reserve(plan.foreignRootCount(rank: rank) * finished.count / 8)
    try trailers.reserve(plan.roots.count * Trailer.count)
    operands.reserveCapacity(plan.roots.count)
    sends.reserveCapacity((plan.rootsOfRank[rank].count + 1) * size)
    receives.reserveCapacity(plan.roots.count + size)
    plans[leaves] = plan
    return plan
  }

  // MARK: - On this rank

  private func compute(
    _ plan: ReductionPlan, _ computeLeaf: (Int, Int, GradientVector) throws(Failure) -> Void
  ) throws(Failure) {
    threads.run { worker in
      do throws(Failure) {
        for task in plan.tasks[worker] {
          switch task {
          case .compute(let leaf, let slot):
            observer?.worker(worker, enters: .computation)
            Trailer.clear(vectors[slot].trailer)
            try computeLeaf(worker, leaf, vectors[slot])
          case .add(let slot, let sum):
            observer?.worker(worker, enters: .addition)
            add(slot, into: sum)
          }
        }
      } catch {
        workerFailures[worker] = error
      }
      // Who is done waits for the other workers.
      if threads.count > 1 { observer?.worker(worker, enters: .idle) }
    }
    // Workers hold ascending runs of leaves, and each stops at its first failure.
    var first: Failure?
    for worker in 0..<threads.count {
      first = first ?? workerFailures[worker]
      workerFailures[worker] = nil
    }
    if let first { throw first }
  }

  private func add(_ right: Int, into left: Int) {
    let (left, right) = (vectors[left], vectors[right])
    GradientAddition.add(left.vectors, right.vectors, into: left.vectors, count: left.paddedCount / 8)
    Trailer.add(right.trailer, into: left.trailer)
  }

  /// Fills in where each root's slice and statistics are, or will be when they have come.
  private func locateRoots(_ plan: ReductionPlan) {
    var next = staging.start
    operands.removeAll(keepingCapacity: true)
    for (index, root) in plan.roots.enumerated() {
      if let slot = root.slot {
        operands.append(vectors[slot].vectors + finished.lowerBound / 8)
        (trailers.start + index * Trailer.count).update(from: vectors[slot].trailer, count: Trailer.count)
      } else {
        operands.append(next)
        next += finished.count / 8
      }
    }
  }

  // MARK: - Between ranks

  private func form(for plan: ReductionPlan) -> ExchangeForm {
    guard compressed == nil, plan.pairsRanks, pairs != nil else { return .direct }
    return askedForm ?? .suited(toBytes: mean.paddedCount * MemoryLayout<Float>.stride, ranks: size)
  }

  /// By `doubling` or `halving`, whose additions between the rounds count as exchange.
  private func sumInPairs(_ plan: ReductionPlan, _ form: ExchangeForm, _ phase: Phase) throws(Failure) -> StepStatistics
  {
    finishing = 0
    guard let pairs, let slot = plan.roots[rank].slot else { return StepStatistics() }
    return try pairs.reduce(vectors[slot], into: mean, by: form, phase: phase)
  }

  private func sumInSlices(_ plan: ReductionPlan, _ phase: Phase) throws(Failure) -> StepStatistics {
    locateRoots(plan)
    try scatter(plan, phase)
    let scattered = monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    let statistics = plan.finishStatistics(trailers.start)
    try compressed?.decode(plan, into: operands, threads, phase)
    plan.finish(
      operands, count: finished.count / 8, samples: max(1, statistics.samples),
      into: mean.vectors + finished.lowerBound / 8)
    finishing = monotonicNanoseconds() - scattered
    return statistics
  }

  private func scatter(_ plan: ReductionPlan, _ phase: Phase) throws(Failure) {
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    for peer in 0..<size where peer != rank {
      if let compressed {
        compressed.append(plan, peer: peer, to: &sends, &receives)
      } else {
        appendSlices(plan, peer: peer)
      }
      appendStatistics(plan, of: peer, peer: peer, to: &receives)
      appendStatistics(plan, of: rank, peer: peer, to: &sends)
    }
    try exchange(phase)
  }

  private func appendSlices(_ plan: ReductionPlan, peer: Int) {
    for (tag, index) in plan.rootsOfRank[peer].enumerated() where !slices[rank].isEmpty {
      receives.append(Transfer(peer: peer, tag: tag, bytes: bytes(operands[index], slices[rank].count)))
    }
    for (tag, index) in plan.rootsOfRank[rank].enumerated() where !slices[peer].isEmpty {
      let start = operands[index] - slices[rank].lowerBound / 8 + slices[peer].lowerBound / 8
      sends.append(Transfer(peer: peer, tag: tag, bytes: bytes(start, slices[peer].count)))
    }
  }

  private func appendStatistics(_ plan: ReductionPlan, of owner: Int, peer: Int, to transfers: inout [Transfer]) {
    let roots = plan.rootsOfRank[owner]
    guard !roots.isEmpty else { return }
    let start = trailers.start + roots.lowerBound * Trailer.count
    let bytes = UnsafeMutableRawBufferPointer(start: start, count: roots.count * Trailer.byteCount)
    transfers.append(Transfer(peer: peer, tag: Self.statisticsTag, bytes: bytes))
  }

  private func gather(_ phase: Phase) throws(Failure) {
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    for peer in 0..<size where peer != rank {
      for owner in [peer, rank] where !slices[owner].isEmpty {
        let slice = bytes(mean.vectors + slices[owner].lowerBound / 8, slices[owner].count)
        let transfer = Transfer(peer: peer, tag: Self.gatheringTag, bytes: slice)
        if owner == rank { sends.append(transfer) } else { receives.append(transfer) }
      }
    }
    try exchange(phase)
  }

  private func exchange(_ phase: Phase) throws(Failure) {
    try sends.withUnsafeBufferPointer { (sends) throws(Failure) in
      try receives.withUnsafeBufferPointer { (receives) throws(Failure) in
        try communicator.exchange(sends: sends, receives: receives, phase: phase)
      }
    }
  }

  /// Above the tags of a rank's roots, of which there are at most two a level of the tree.
  private static let statisticsTag = 1000
  private static let gatheringTag = 1001

  private func bytes(_ start: UnsafeMutablePointer<SIMD8<Float>>, _ floats: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: start, count: floats * MemoryLayout<Float>.stride)
  }
}
