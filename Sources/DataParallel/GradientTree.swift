import Failures

/// The one binary tree in which the gradients of a batch's microbatches are added, whatever rank holds which.
///
/// The leaves are the microbatches, in order. The node over leaves [a, b) is the sum of those over [a, m) and [m, b),
/// m = ⌊(a + b) / 2⌋. Rank r of P holds the leaves [⌊r·n/P⌋, ⌊(r+1)·n/P⌋). It adds what it can by itself: the maximal
/// subtrees that lie wholly within its leaves. Their roots are all that the other ranks need of it.
///
/// Where the tree is cut into groups, what a rank holds are whole groups, and it adds no further than to their nodes.
public struct GradientTree: Sendable {
  /// How many leaves there are, at least 1.
  public let leaves: Int
  /// How many ranks share them, at least 1. More ranks than leaves leave some ranks without any.
  public let ranks: Int
  /// How many nodes the level has at which the tree is cut, a power of two; nil where it is not.
  public let groups: Int?

  public init(leaves: Int, ranks: Int, groups: Int? = nil) {
    self.leaves = leaves
    self.ranks = ranks
    self.groups = groups
  }

  /// The leaves that a rank holds.
  public func leaves(ofRank rank: Int) -> Range<Int> {
    guard let groups else { return Self.share(rank, of: ranks, in: 0..<leaves) }
    let own = Self.share(rank, of: ranks, in: 0..<groups)
    let nodes = groupNodes
    let start = own.lowerBound < nodes.count ? nodes[own.lowerBound].lowerBound : leaves
    return start..<(own.isEmpty ? start : nodes[own.upperBound - 1].upperBound)
  }

  /// The leaves of each group. Of fewer leaves than groups some have none. All in one where the tree is not cut.
  public var groupNodes: [Range<Int>] {
    var nodes = [0..<leaves]
    while nodes.count < groups ?? 1 {
      nodes = nodes.flatMap {
        let (left, right) = Self.children(of: $0)
        return [left, right]
      }
    }
    return nodes
  }

  /// The roots of the maximal subtrees within a rank's leaves, each as the leaves under it, from left to right.
  public func roots(ofRank rank: Int) -> [Range<Int>] {
    roots(within: leaves(ofRank: rank))
  }

  /// The roots of the maximal subtrees within a run of leaves and within a group, from left to right.
  public func roots(within run: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    func visit(_ node: Range<Int>, groups: Int) {
      let isWithinGroup = groups <= 1 || node.count <= 1
      if isWithinGroup && node.lowerBound >= run.lowerBound && node.upperBound <= run.upperBound {
        if !node.isEmpty { found.append(node) }
      } else if node.overlaps(run) {
        let (left, right) = Self.children(of: node)
        visit(left, groups: groups / 2)
        visit(right, groups: groups / 2)
      }
    }
    if !run.isEmpty { visit(0..<leaves, groups: groups ?? 1) }
    return found
  }

  /// The roots of the rank that has most.
  var mostRoots: Int { (0..<ranks).map { roots(ofRank: $0).count }.max() ?? 1 }

  /// The two nodes whose sum a node of two or more leaves is.
  public static func children(of node: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
    let middle = (node.lowerBound + node.upperBound) / 2
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The share-th of `shares` contiguous parts of a range, which differ by one in length at most.
  static func share(_ share: Int, of shares: Int, in range: Range<Int>) -> Range<Int> {
    let start = range.lowerBound + share * range.count / shares
    return start..<range.lowerBound + (share + 1) * range.count / shares
  }

  /// Makes sure that a full batch fills the groups at which the tree is cut, and the groups fill the ranks.
  ///
  /// - Parameter setting: the key that says how many groups there are.
  /// - Throws: a `.configuration` failure that names the setting.
  public static func check(groups: Int, of setting: String, leaves: Int, ranks: Int) throws(Failure) {
    guard groups <= leaves else {
      throw Failure(
        .configuration, "\(setting) is \(groups), and a batch has \(leaves) microbatch\(leaves == 1 ? "" : "es")",
        remedy: "set it to \(1 << (Int.bitWidth - 1 - leaves.leadingZeroBitCount)) or less, or make "
          + "training.microbatch smaller")
    }
    guard ranks <= groups else {
      throw Failure(
        .configuration,
        "\(setting) is \(groups), and \(ranks) ranks cannot share \(groups == 1 ? "1 group" : "\(groups) groups")",
        remedy: "start at most \(groups) rank\(groups == 1 ? "" : "s"), or begin a run with more groups, which ends on "
          + "other bits")
    }
  }

  /// Makes sure that a full batch gives every rank a microbatch.
  ///
  /// - Throws: a `.configuration` failure that says which size of a microbatch would do.
  public static func check(batch: Int, microbatch: Int, ranks: Int) throws(Failure) {
    let leaves = (batch + microbatch - 1) / microbatch
    guard ranks > leaves else { return }
    let microbatches = leaves == 1 ? "1 microbatch" : "\(leaves) microbatches"
    let cause = "\(ranks) ranks cannot share a batch of \(batch) in \(microbatches) of \(microbatch)"
    guard ranks <= batch else {
      throw Failure(
        .configuration, cause, remedy: "start at most \(leaves) ranks, or set training.batch to \(ranks) or more")
    }
    // ⌈batch / m⌉ ≥ ranks holds for m ≤ (batch − 1) / (ranks − 1).
    let largest = (batch - 1) / (ranks - 1)
    throw Failure(
      .configuration, cause,
      remedy: "set training.microbatch to \(largest)\(largest > 1 ? " or less" : ""), or start at most \(leaves) "
        + (leaves == 1 ? "rank" : "ranks"))
  }
}
