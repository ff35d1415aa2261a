import Communication
import Failures

/// The exchange in two levels, of ranks on several nodes with as many on each: within a node through memory, between nodes
/// by messages, each of which a node gets once and not once a rank.
///
/// 1. Each rank shows its roots on its node. The rank at place p adds slice p of them to the node's roots, the maximal
///    subtrees within the node's leaves.
/// 2. Ranks at the same place exchange parts of their slice between nodes, each finishes its part of the tree, and the
///    finished parts go back to all of them.
/// 3. Each rank shows its finished slice on its node.
///
/// A node sends 2 (1 - 1/nodes) times the vector's bytes where it has one root: ranks that send each to each send that
/// much each.
final class NodesExchange: RootExchange {
  let form = ExchangeForm.nodes
  let slices: [Range<Int>]
  private(set) var finishing: UInt64 = 0
  private let communicator: any Communicator
  private let shared: SharedRoots
  /// Of this rank's slice, by node.
  private let parts: [Range<Int>]
  private let node: Int
  /// By the number of leaves.
  private var plans: [Int: NodePlan] = [:]
  private var views: [Int: [SharedRoots.View]] = [:]
  /// This rank's part of other nodes' roots.
  private var staging: AlignedMemory<SIMD8<Float>>
  /// The statistics of this node's ranks' roots, then of all nodes' roots.
  private var ownTrailers: AlignedMemory<Double>
  private var trailers: AlignedMemory<Double>
  /// Where this rank's slice is of each root of this node's ranks, and its part of each node's roots.
  private var ownSlices: [UnsafeMutablePointer<SIMD8<Float>>] = []
  private var operands: [UnsafeMutablePointer<SIMD8<Float>>] = []
  private var sends: [Transfer] = []
  private var receives: [Transfer] = []

  init(_ shared: SharedRoots, communicator: any Communicator) throws(Failure) {
    self.shared = shared
    self.communicator = communicator
    node = communicator.rank / shared.ranks.count
    slices = (0..<communicator.size).map { [shared] rank in
      let (node, place) = rank.quotientAndRemainder(dividingBy: shared.ranks.count)
      return GradientVector.slices(of: shared.slices[place], count: shared.nodes)[node]
    }
    parts = GradientVector.slices(of: shared.slices[shared.place], count: shared.nodes)
    staging = try AlignedMemory(count: 0)
    ownTrailers = try AlignedMemory(count: 0)
    trailers = try AlignedMemory(count: 0)
  }

  let gathers = true

  func takes(_ plan: ReductionPlan) -> Bool { shared.take(plan) }

  func reserve(for plan: ReductionPlan, _ stock: [GradientVector]) throws(Failure) {
    let nodePlan = NodePlan(plan, ranks: communicator.size, ranksPerNode: shared.ranks.count, node: node)
    plans[plan.leaves] = nodePlan
    views[plan.leaves] = shared.views(plan, stock)
    try staging.reserve(nodePlan.rootCount * parts[node].count / 8)
    try ownTrailers.reserve(nodePlan.ownRoots.count * Trailer.count)
    try trailers.reserve(nodePlan.rootCount * Trailer.count)
    ownSlices.reserveCapacity(nodePlan.ownRoots.count)
    operands.reserveCapacity(nodePlan.rootCount)
    sends.reserveCapacity((nodePlan.rootsOfNode[node].count + 1) * shared.nodes)
    receives.reserveCapacity(nodePlan.rootCount + shared.nodes)
  }

  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double> {
    guard let nodePlan = plans[plan.leaves], let views = views[plan.leaves] else {
      throw Failure(.software, "no plan for \(plan.leaves) leaves in \(phase)", remedy: "report this: it is a defect")
    }
    let view = views[shared.begin()]
    try shared.show(view, phase: phase)
    let shown = monotonicNanoseconds()
    addRootsOfNode(view, nodePlan)
    finishing = monotonicNanoseconds() - shown

    try exchangeParts(nodePlan, phase)
    let exchanged = monotonicNanoseconds()
    observer?.worker(0, enters: .finishing)
    nodePlan.finishing.add(trailers.start)
    let statistics = Trailer.read(trailers.start)
    nodePlan.finishing.mean(
      of: operands, count: parts[node].count / 8, samples: max(1, statistics.samples),
      into: mean.vectors + parts[node].lowerBound / 8)
    finishing += monotonicNanoseconds() - exchanged
    return UnsafePointer(trailers.start)
  }

  /// Adds this rank's slice of the roots of this node's ranks, and their statistics, up to the node's roots.
  private func addRootsOfNode(_ view: SharedRoots.View, _ nodePlan: NodePlan) {
    let slice = shared.slices[shared.place]
    view.copyStatistics(to: ownTrailers.start)
    ownSlices.removeAll(keepingCapacity: true)
    for vector in view.vectors { ownSlices.append(vector + slice.lowerBound / 8) }
    nodePlan.joining.add(ownTrailers.start)
    nodePlan.joining.add(ownSlices, count: slice.count / 8)
  }

  private func exchangeParts(_ plan: NodePlan, _ phase: Phase) throws(Failure) {
    let slice = shared.slices[shared.place]
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    operands.removeAll(keepingCapacity: true)
    var next = staging.start
    for (other, roots) in plan.rootsOfNode.enumerated() {
      let peer = other * shared.ranks.count + shared.place
      let statistics = trailers.start + roots.lowerBound * Trailer.count
      if other == node {
        for (place, root) in plan.placesOfRoots.enumerated() {
          operands.append(ownSlices[root] + (parts[node].lowerBound - slice.lowerBound) / 8)
          (statistics + place * Trailer.count).update(
            from: ownTrailers.start + root * Trailer.count, count: Trailer.count)
        }
        continue
      }
      for tag in 0..<roots.count {
        operands.append(next)
        append(Transfer(peer: peer, tag: tag, bytes: bytes(next, parts[node].count)), to: &receives)
        next += parts[node].count / 8
      }
      let bytes = UnsafeMutableRawBufferPointer(start: statistics, count: roots.count * Trailer.byteCount)
      append(Transfer(peer: peer, tag: ExchangeTag.statistics, bytes: bytes), to: &receives)
    }
    appendSends(plan, slice)
    try communicator.exchange(sending: sends, receiving: receives, phase: phase, relay: .afterRounds(1))
  }

  private func appendSends(_ plan: NodePlan, _ slice: Range<Int>) {
    let statistics = trailers.start + plan.rootsOfNode[node].lowerBound * Trailer.count
    for other in parts.indices where other != node {
      let peer = other * shared.ranks.count + shared.place
      for (tag, root) in plan.placesOfRoots.enumerated() {
        let part = ownSlices[root] + (parts[other].lowerBound - slice.lowerBound) / 8
        append(Transfer(peer: peer, tag: tag, bytes: bytes(part, parts[other].count)), to: &sends)
      }
      let bytes = UnsafeMutableRawBufferPointer(
        start: statistics, count: plan.rootsOfNode[node].count * Trailer.byteCount)
      append(Transfer(peer: peer, tag: ExchangeTag.statistics, bytes: bytes), to: &sends)
    }
  }

  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    let vectors = UnsafeMutableRawPointer(floats).assumingMemoryBound(to: SIMD8<Float>.self)
    sends.removeAll(keepingCapacity: true)
    receives.removeAll(keepingCapacity: true)
    for other in parts.indices where other != node {
      let peer = other * shared.ranks.count + shared.place
      let (own, theirs) = (parts[node], parts[other])
      append(
        Transfer(
          peer: peer, tag: ExchangeTag.gathering, bytes: bytes(vectors + own.lowerBound / 8, own.count)),
        to: &sends)
      append(
        Transfer(
          peer: peer, tag: ExchangeTag.gathering, bytes: bytes(vectors + theirs.lowerBound / 8, theirs.count)),
        to: &receives)
    }
    try communicator.exchange(sending: sends, receiving: receives, phase: phase, relay: .afterRounds(1))
    try shared.exchangeSlices(floats, phase: phase, relay: .afterRounds(2))
  }

  private func append(_ transfer: Transfer, to transfers: inout [Transfer]) {
    if !transfer.bytes.isEmpty { transfers.append(transfer) }
  }

  private func bytes(_ start: UnsafeMutablePointer<SIMD8<Float>>, _ floats: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: start, count: floats * MemoryLayout<Float>.stride)
  }
}

/// Who adds what, where ranks of a node add first.
struct NodePlan {
  /// The roots of this node's ranks, as leaves, from left to right.
  let ownRoots: [Range<Int>]
  /// Of these, by place, until the node's roots are complete.
  let joining: [ReductionPlan.Addition]
  /// Where the node's roots are among them then.
  let placesOfRoots: [Int]
  /// The places of each node's roots among the roots of all nodes.
  let rootsOfNode: [Range<Int>]
  /// Of all nodes' roots, by place.
  let finishing: [ReductionPlan.Addition]

  var rootCount: Int { rootsOfNode.last?.upperBound ?? 0 }

  init(_ plan: ReductionPlan, ranks: Int, ranksPerNode: Int, node: Int) {
    let tree = GradientTree(leaves: plan.leaves, ranks: ranks)
    func roots(ofNode node: Int) -> [Range<Int>] {
      let first = tree.leaves(ofRank: node * ranksPerNode).lowerBound
      return tree.roots(within: first..<tree.leaves(ofRank: (node + 1) * ranksPerNode - 1).upperBound)
    }
    ownRoots = (node * ranksPerNode..<(node + 1) * ranksPerNode).flatMap { tree.roots(ofRank: $0) }
    let places = Dictionary(uniqueKeysWithValues: ownRoots.enumerated().map { ($1, $0) })
    var additions: [ReductionPlan.Addition] = []
    placesOfRoots = roots(ofNode: node).map { ReductionPlan.join($0, places, &additions) }
    joining = additions
    var all: [Range<Int>: Int] = [:]
    rootsOfNode = (0..<ranks / ranksPerNode).map { other in
      let first = all.count
      for root in roots(ofNode: other) { all[root] = all.count }
      return first..<all.count
    }
    additions = []
    _ = ReductionPlan.join(0..<plan.leaves, all, &additions)
    finishing = additions
  }
}
