/// Who adds what in which order, for one number of leaves: the tree as straight lists, so that a step walks them
/// without thinking or allocating.
///
/// Vectors are named by their place in the reduction's stock (`slot`). A worker computes a contiguous run of its
/// rank's leaves and adds the maximal subtrees within; the rank joins what lies across workers; the ranks finish what
/// lies across ranks, each for its slice of the vector.
final class ReductionPlan {
  /// One thing that a worker does.
  enum Task {
    case compute(leaf: Int, slot: Int)
    case add(slot: Int, into: Int)
  }

  /// left += right, both by number.
  struct Addition: Equatable {
    let left: Int
    let right: Int
  }

  /// The root of a subtree that is complete on one rank.
  struct Root {
    let rank: Int
    /// Where it lies, if it is this rank's.
    let slot: Int?
  }

  let leaves: Int
  /// What each worker does, by worker.
  let tasks: [[Task]]
  /// How many vectors the tasks need at the same time.
  let slotCount: Int
  /// The slots to add after all workers are done, until the rank's roots are complete.
  let joining: [Addition]
  /// The roots of all ranks from left to right, so each rank's are neighbours.
  let roots: [Root]
  /// The group of each root, by its place in `roots`, where the tree is cut: every root is a group's node then.
  let groups: [Int]
  /// The place of each rank's roots in `roots`.
  let rootsOfRank: [Range<Int>]
  /// The roots (as places in `roots`) to add, until the first is the sum of all leaves.
  let finishing: [Addition]

  /// Whether the ranks have one root each and the tree pairs them, then those pairs, and so on.
  let pairsRanks: Bool

  init(tree: GradientTree, rank: Int, workers: Int) {
    leaves = tree.leaves
    var slots = SlotStock()
    var own: [Range<Int>: Int] = [:]
    var ownNodes: [Range<Int>] = []
    let run = tree.leaves(ofRank: rank)
    tasks = (0..<workers).map { worker in
      slots.closeFreeList()
      var tasks: [Task] = []
      for node in tree.roots(within: GradientTree.share(worker, of: workers, in: run)) {
        own[node] = Self.evaluate(node, &slots, &tasks)
        ownNodes.append(node)
      }
      return tasks
    }
    slotCount = slots.count

    if tree.ranks == 1 && tree.groups == nil {
      // No other rank waits for the roots, so joining and finishing are one pass.
      joining = []
    } else {
      var additions: [Addition] = []
      ownNodes = tree.roots(ofRank: rank)
      for node in ownNodes { own[node] = Self.join(node, own, &additions) }
      joining = additions
    }

    var roots: [Root] = []
    var places: [Range<Int>: Int] = [:]
    rootsOfRank = (0..<tree.ranks).map { other in
      let first = roots.count
      for node in other == rank ? ownNodes : tree.roots(ofRank: other) {
        places[node] = roots.count
        roots.append(Root(rank: other, slot: other == rank ? own[node] : nil))
      }
      return first..<roots.count
    }
    self.roots = roots
    let nodes = tree.groupNodes
    groups = tree.groups == nil ? [] : nodes.indices.filter { !nodes[$0].isEmpty }
    var additions: [Addition] = []
    _ = Self.join(0..<tree.leaves, places, &additions)
    finishing = additions
    let ranks = tree.ranks
    pairsRanks =
      ranks > 1 && ranks & (ranks - 1) == 0 && rootsOfRank.allSatisfy { $0.count == 1 }
      && additions == Self.pairs(0..<ranks)
  }

  /// How a tree over a power of two of roots is added up.
  private static func pairs(_ roots: Range<Int>) -> [Addition] {
    guard roots.count > 1 else { return [] }
    let (left, right) = GradientTree.children(of: roots)
    return pairs(left) + pairs(right) + [Addition(left: left.lowerBound, right: right.lowerBound)]
  }

  /// The most vectors of other ranks' roots that this rank has to take in.
  func foreignRootCount(rank: Int) -> Int { roots.count - rootsOfRank[rank].count }

  /// Post-order: at most one vector a level of the subtree is in use.
  private static func evaluate(_ node: Range<Int>, _ slots: inout SlotStock, _ tasks: inout [Task]) -> Int {
    if node.count == 1 {
      let slot = slots.take()
      tasks.append(.compute(leaf: node.lowerBound, slot: slot))
      return slot
    }
    let children = GradientTree.children(of: node)
    let left = evaluate(children.left, &slots, &tasks)
    let right = evaluate(children.right, &slots, &tasks)
    tasks.append(.add(slot: right, into: left))
    slots.give(back: right)
    return left
  }

  /// The number of `node` after these additions, given the numbers of the nodes below it that are complete.
  static func join(_ node: Range<Int>, _ complete: [Range<Int>: Int], _ additions: inout [Addition]) -> Int {
    if let number = complete[node] { return number }
    let children = GradientTree.children(of: node)
    let left = join(children.left, complete, &additions)
    let right = join(children.right, complete, &additions)
    additions.append(Addition(left: left, right: right))
    return left
  }

  /// Slots handed out last in, first out, so that what is used next was used last and is still in cache.
  private struct SlotStock {
    private(set) var count = 0
    private var free: [Int] = []

    mutating func take() -> Int {
      if let slot = free.popLast() { return slot }
      count += 1
      return count - 1
    }

    mutating func give(back slot: Int) { free.append(slot) }

    /// What one worker has given back, another must not take: they work at the same time.
    mutating func closeFreeList() { free.removeAll() }
  }
}
