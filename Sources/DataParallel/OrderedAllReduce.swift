import Communication
import Failures
import Kernels

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
/// of samples to divide by. Ranks of one node see each other's roots in memory that they share; nodes with as many ranks
/// each exchange in two levels; where the tree pairs the ranks, few bytes or many ranks go by another `ExchangeForm`.
///
/// With `Compression` the tree is cut into groups, and step 2 brings each group's compressed gradient to every rank, which
/// finishes the whole tree; there is no step 3.
///
/// A reduction may be sharded: then each rank keeps the slice that it has finished, changes what it is to change by it, and
/// step 3 brings that to every rank instead (see `OrderedAllReduce+Sharding`).
///
/// Belongs to the thread that made it. After the first step with a number of leaves, steps with it allocate nothing but,
/// with several workers, the few bytes that hand `computeLeaf` to their threads.
public final class OrderedAllReduce {
  /// Told what the reduction is doing, if set.
  public var observer: (any ReductionObserver)? {
    get { told }
    set { told = newValue }
  }
  // Private: of what other files may read, each access is checked at run time, which a reduction of few bytes feels.
  private var told: (any ReductionObserver)?
  /// What the reductions so far took, added up.
  public var times: ReductionTimes { taken }
  private var taken = ReductionTimes()

  /// Whether `sum` leaves each rank a slice of the mean gradient, for weights to be gathered: as asked for, where there
  /// are several ranks.
  public let isSharded: Bool
  let communicator: any Communicator
  let parameterCount: Int
  private let threads: WorkerThreads
  /// Made when a number of leaves first comes, by that number: a run has two, the full batch's and the last one's.
  private var plans: [(plan: ReductionPlan, exchange: any RootExchange)?]
  private var vectors: [GradientVector] = []
  let mean: GradientVector
  private let groups: Int?
  private let compressed: CompressedExchange?
  /// For any batch.
  let direct: DirectExchange
  /// Where another form suits the ranks: for the batches that it takes.
  private let suited: (any RootExchange)?
  /// What the last `sum` took.
  private var chosen: any RootExchange
  /// No partial sum of the last batch's roots can have had a larger magnitude. Where reductions are sharded alone.
  var largestMagnitude: Double { magnitude }
  private var magnitude = 0.0
  let sharding: ShardedNumbers?
  private let workerFailures: UnsafeMutablePointer<Failure?>

  public var rank: Int { communicator.rank }
  /// What compression has left so far; nil without.
  public var residuals: GradientResiduals? { compressed?.residuals }

  /// - Parameters:
  ///   - parameterCount: the floats of a gradient.
  ///   - maximumLeaves: the microbatches of a full batch.
  ///   - workers: the threads that compute at the same time on this rank, the caller's included.
  ///   - compression: of what travels, checked; nil for none.
  ///   - isSharded: whether each rank is to keep the slice that it finishes. Not with compression.
  ///   - form: how ranks exchange, where they can, instead of what suits their number, the bytes and where they run.
  /// - Throws: `.osError` where memory or threads cannot be had.
  public init(
    communicator: any Communicator, parameterCount: Int, maximumLeaves: Int, workers: Int = 1,
    compression: Compression? = nil, isSharded: Bool = false, form: ExchangeForm? = nil
  ) throws(Failure) {
    self.communicator = communicator
    self.parameterCount = parameterCount
    let threads = try WorkerThreads(count: max(1, workers))
    self.threads = threads
    plans = Array(repeating: nil, count: max(1, maximumLeaves) + 1)
    let mean = try GradientVector(count: parameterCount)
    self.mean = mean
    self.isSharded = isSharded && compression == nil && communicator.size > 1
    groups = compression?.groups
    compressed = try compression.map { (compression) throws(Failure) in
      try CompressedExchange(compression, communicator: communicator, count: parameterCount, workers: threads.count)
    }
    suited =
      compression == nil
      ? try Self.suitedExchange(
        form, communicator: communicator, mean: mean, leaves: max(1, maximumLeaves), isSharded: self.isSharded) : nil
    // A rank's slice stays its own in every batch.
    direct = try DirectExchange(
      communicator: communicator, paddedCount: mean.paddedCount, slices: self.isSharded ? suited?.slices : nil,
      compressed: compressed, threads: threads)
    chosen = direct
    sharding =
      self.isSharded ? ShardedNumbers(communicator: communicator, slices: direct.slices) : nil
    workerFailures = .allocate(capacity: threads.count)
    workerFailures.initialize(repeating: nil, count: threads.count)
    _ = try prepared(forLeaves: max(1, maximumLeaves))
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
    let statistics = try sum(leaves: leaves, phase: phase, computeLeaf: computeLeaf)
    try gatherGradient(phase: phase)
    return (mean.floats, statistics)
  }

  /// The first half of `reduce`: after it each rank has its slice of the mean gradient. `gather` has to follow.
  public func sum(
    leaves: Int, phase: Phase,
    computeLeaf: (_ worker: Int, _ leaf: Int, _ into: GradientVector) throws(Failure) -> Void
  ) throws(Failure) -> StepStatistics {
    let (plan, exchange) = try prepared(forLeaves: leaves)
    let observer = told
    let start = monotonicNanoseconds()
    try compute(plan, computeLeaf)

    observer?.worker(0, enters: .addition)
    for addition in plan.joining { add(addition.right, into: addition.left) }
    compressed?.encode(plan, vectors, threads)
    if isSharded { noteMagnitudes(plan) }

    observer?.worker(0, enters: .scattering)
    let computed = monotonicNanoseconds()
    try InjectedFault.strike(.scattering, rank: rank, step: phase.step ?? 0)
    chosen = exchange
    let trailer = try exchange.sum(plan, vectors, into: mean, phase: phase, observer: observer)
    let statistics = Trailer.read(trailer)
    if isSharded { magnitude = trailer[Trailer.magnitude] }
    guard statistics.samples > 0 else {
      throw Failure(
        .software, "no samples were counted in \(phase)", remedy: "report this: it is a defect of the program")
    }

    taken.computation += computed - start
    taken.exchange += monotonicNanoseconds() - computed - exchange.finishing
    if isSharded { observer?.worker(0, enters: .idle) }
    return statistics
  }

  /// The second half: brings what each rank has in its slice to every rank. Once after each `sum`, on every rank.
  ///
  /// - Parameter floats: the mean gradient, or what else there is of as many floats, zeros up to a multiple of 16 and
  ///   aligned to 64 bytes.
  public func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    let observer = told
    observer?.worker(0, enters: .gathering)
    try InjectedFault.strike(.gathering, rank: rank, step: phase.step ?? 0)
    if chosen.gathers {
      let start = monotonicNanoseconds()
      try chosen.gather(floats, phase: phase)
      taken.exchange += monotonicNanoseconds() - start
    }
    observer?.worker(0, enters: .idle)
  }

  /// The same with the mean gradient.
  public func gatherGradient(phase: Phase) throws(Failure) { try gather(mean.floats, phase: phase) }

  /// What the last reduction came to: `parameterCount` floats; where it is sharded, of this rank's slice alone.
  public var gradient: UnsafePointer<Float> { UnsafePointer(mean.floats) }

  /// How the ranks exchange full batches.
  public var form: ExchangeForm {
    suited?.form ?? .direct
  }

  /// Nil where ranks send to each other directly.
  private static func suitedExchange(
    _ form: ExchangeForm?, communicator: any Communicator, mean: GradientVector, leaves: Int, isSharded: Bool
  ) throws(Failure) -> (any RootExchange)? {
    let tree = GradientTree(leaves: leaves, ranks: communicator.size)
    let mostOnHost = Dictionary(grouping: communicator.hosts) { $0 }.values.map(\.count).max() ?? 1
    let taken =
      form ?? .taken(by: tree, parameterCount: mean.count, ranksPerNode: mostOnHost, isSharded: isSharded)
    if [.shared, .nodes].contains(taken),
      let roots = try SharedRoots(
        communicator: communicator, floats: mean.paddedCount, rootCapacity: tree.mostRoots, ranksPerNode: mostOnHost)
    {
      if roots.nodes == 1 && form != .nodes { return SharedExchange(roots, isSharded: isSharded) }
      return try NodesExchange(roots, communicator: communicator)
    }
    // Short batches may pair the ranks where full ones do not.
    let suited =
      form
      ?? .suited(
        toBytes: mean.paddedCount * MemoryLayout<Float>.stride, ranks: communicator.size, isSharded: isSharded)
    let canPair = communicator.size.nonzeroBitCount == 1 && communicator.size > 1
    guard canPair, suited == .halving || suited == .doubling && !isSharded else { return nil }
    return try PairwiseExchange(suited, communicator: communicator, parameterCount: mean.count)
  }

  private func prepared(
    forLeaves leaves: Int
  ) throws(Failure) -> (plan: ReductionPlan, exchange: any RootExchange) {
    guard leaves >= 1, leaves < plans.count else {
      throw Failure(
        .software, "a batch of \(leaves) microbatches where 1 to \(plans.count - 1) were planned for",
        remedy: "report this: it is a defect of the program")
    }
    if let prepared = plans[leaves] { return prepared }
    let plan = ReductionPlan(
      tree: GradientTree(leaves: leaves, ranks: communicator.size, groups: groups), rank: rank, workers: threads.count)
    while vectors.count < plan.slotCount { vectors.append(try GradientVector(count: parameterCount)) }
    var exchange: any RootExchange = direct
    if let suited, suited.takes(plan) { exchange = suited }
    try exchange.reserve(for: plan, vectors)
    plans[leaves] = (plan, exchange)
    return (plan, exchange)
  }

  // MARK: - On this rank

  private func noteMagnitudes(_ plan: ReductionPlan) {
    for index in plan.rootsOfRank[rank] {
      guard let slot = plan.roots[index].slot else { continue }
      let vector = vectors[slot]
      vector.trailer[Trailer.magnitude] = Double(FiniteCheck.largestMagnitude(vector.floats, count: vector.paddedCount))
    }
  }

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
}
