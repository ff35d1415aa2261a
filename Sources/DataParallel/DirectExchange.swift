import Communication
import Failures
import Kernels

/// The exchange of any number of ranks with any number of roots: each sends to each other.
///
/// The vector is cut into one slice a rank. Slice s of every root goes to rank s, which finishes the tree for it; then the
/// finished slices go to every rank. Where gradients are compressed every root goes to every rank, which finishes the whole.
final class DirectExchange: RootExchange {
  let form = ExchangeForm.direct
  private(set) var finishing: UInt64 = 0
  private let communicator: any Communicator
  private let compressed: CompressedExchange?
  private let threads: WorkerThreads
  let slices: [Range<Int>]
  /// For what floats this rank finishes the tree.
  private let finished: Range<Int>
  /// Slices of other ranks' roots.
  private var staging: AlignedMemory<SIMD8<Float>>
  /// The statistics of all roots.
  private var trailers: AlignedMemory<Double>
  /// Where the slice of each root lies.
  private var operands: [UnsafeMutablePointer<SIMD8<Float>>] = []
  private var sends: [Transfer] = []
  private var receives: [Transfer] = []

  private var rank: Int { communicator.rank }
  private var size: Int { communicator.size }

  /// - Parameter slices: by rank, of whole units; nil for any.
  init(
    communicator: any Communicator, paddedCount: Int, slices: [Range<Int>]? = nil, compressed: CompressedExchange?,
    threads: WorkerThreads
  ) throws(Failure) {
    self.communicator = communicator
    self.compressed = compressed
    self.threads = threads
    self.slices = slices ?? GradientVector.slices(of: 0..<paddedCount, count: communicator.size)
    finished = compressed == nil ? self.slices[communicator.rank] : 0..<paddedCount
    staging = try AlignedMemory(count: 0)
    trailers = try AlignedMemory(count: 0)
  }

  /// Where gradients are compressed, every rank has finished the whole.
  var gathers: Bool { compressed == nil }

  func takes(_ plan: ReductionPlan) -> Bool { true }

  func reserve(for plan: ReductionPlan, _ stock: [GradientVector]) throws(Failure) {
    try staging.reserve(plan.foreignRootCount(rank: rank) * finished.count / 8)
    try trailers.reserve(plan.roots.count * Trailer.count)
    operands.reserveCapacity(plan.roots.count)
    sends.reserveCapacity((plan.rootsOfRank[rank].count + 1) * size)
    receives.reserveCapacity(plan.roots.count + size)
  }

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double> {
    locateRoots(plan, vectors)
    try scatter(plan, phase)
    let scattered = monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    plan.finishing.add(trailers.start)
    let statistics = Trailer.read(trailers.start)
    try compressed?.decode(plan, into: operands, threads, phase)
    plan.finishing.mean(
      of: operands, count: finished.count / 8, samples: max(1, statistics.samples),
      into: mean.vectors + finished.lowerBound / 8)
    finishing = monotonicNanoseconds() - scattered
    return UnsafePointer(trailers.start)
  }

  /// Fills in where each root's slice and statistics are, or will be when they have come.
  private func locateRoots(_ plan: ReductionPlan, _ vectors: [GradientVector]) {
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
    transfers.append(Transfer(peer: peer, tag: ExchangeTag.statistics, bytes: bytes))
  }

  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    for peer in 0..<size where peer != rank {
      for owner in [peer, rank] where !slices[owner].isEmpty {
        let slice = UnsafeMutableRawBufferPointer(
          start: floats + slices[owner].lowerBound, count: slices[owner].count * MemoryLayout<Float>.stride)
        let transfer = Transfer(peer: peer, tag: ExchangeTag.gathering, bytes: slice)
        if owner == rank { sends.append(transfer) } else { receives.append(transfer) }
      }
    }
    try exchange(phase)
  }

  private func exchange(_ phase: Phase) throws(Failure) {
    try communicator.exchange(sending: sends, receiving: receives, phase: phase)
  }

  private func bytes(_ start: UnsafeMutablePointer<SIMD8<Float>>, _ floats: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: start, count: floats * MemoryLayout<Float>.stride)
  }
}
