/// The binomial tree of the ranks, seen from one of them: blocks go up it to the root, and what is whole comes down.
///
/// Numbered from the root, a rank's parent is the one without its lowest set bit, and what is below a rank are the ranks
/// behind it. So a rank has at most log2(size) neighbours, and takes and sends the blocks of a run of ranks as one.
struct RankTree {
  let size: Int
  let root: Int
  /// This rank's number, counted from the root.
  let position: Int

  init(rank: Int, size: Int, root: Int = 0) {
    self.size = size
    self.root = root
    position = (rank - root + size) % size
  }

  private init(position: Int, of tree: RankTree) {
    size = tree.size
    root = tree.root
    self.position = position
  }

  var rank: Int { (position + root) % size }

  /// Nil of the root.
  var parent: RankTree? { position == 0 ? nil : RankTree(position: position & (position - 1), of: self) }

  /// Those of the largest subtrees first.
  var children: [RankTree] {
    var children: [RankTree] = []
    var bit = 1
    while bit < size && position & bit == 0 {
      if position + bit < size { children.append(RankTree(position: position + bit, of: self)) }
      bit <<= 1
    }
    return children.reversed()
  }

  /// The positions from this rank's to the last below it.
  var subtree: Range<Int> {
    position == 0 ? 0..<size : position..<min(size, position + (position & -position))
  }

  /// Generations below this rank.
  var height: Int { Int.bitWidth - 1 - subtree.count.leadingZeroBitCount }

  /// Generations above this rank.
  var depth: Int { position.nonzeroBitCount }
}

/// How a rank waits for another that may have to wait itself: for how much longer than the one behind it.
///
/// A timeout should name the rank that is missing. Where a rank waits for one that waits for a third, the one next to
/// the missing rank has to be the first whose time is over: what it says then ends the job, the others with it. So each
/// waits a little longer (`share` of the time allowed) than whoever it may be waiting for in truth. That holds as long
/// as the ranks come within such a share of each other; where they do not, the message says that it may be another.
public struct Relay: Equatable, Sendable {
  /// Of the time allowed, a level.
  static let share = 20

  /// How many shares longer than for a rank that waits for nobody.
  let levels: Int
  /// Whether blocks of a tree from rank 0 are awaited, in which a leaf waits for nobody before it sends.
  let isUpward: Bool

  /// A rank waits for its children's blocks.
  static func receivingUp(_ tree: RankTree) -> Relay { Relay(levels: max(0, tree.height - 1), isUpward: true) }

  /// A rank waits until its parent takes its blocks, which may be waiting for another child.
  static func sendingUp(_ tree: RankTree) -> Relay { Relay(levels: tree.parent?.height ?? 0, isUpward: false) }

  /// A rank waits for what its parent hands down, when all blocks have gone up.
  static func receivingDown(_ tree: RankTree, afterBlocks: Bool) -> Relay {
    let root = RankTree(rank: tree.root, size: tree.size, root: tree.root)
    return Relay(levels: (afterBlocks ? root.height : 0) + tree.depth - 1, isUpward: false)
  }

  /// Ranks exchange in pairs, round after round: in each the partner has to be done with the rounds before.
  public static func afterRounds(_ count: Int) -> Relay { Relay(levels: count, isUpward: false) }

  /// Whether a peer can be waiting for nobody but the rank that says so.
  func isCertain(_ peer: Int, size: Int) -> Bool {
    isUpward ? RankTree(rank: peer, size: size).height == 0 : levels == 0
  }

  func timeout(_ timeout: Duration) -> Duration { timeout + timeout * levels / Self.share }
}
