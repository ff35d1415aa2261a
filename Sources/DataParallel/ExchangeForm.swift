import Communication
import Failures

/// How ranks bring their roots together. What is added in which order is the tree's in each, so the bits are the same.
public enum ExchangeForm: String, CaseIterable, Sendable {
  /// Each rank sends to each other: of every root its slice, then every finished slice. Two exchanges of size - 1
  /// messages and more; for any number of ranks and leaves.
  case direct
  /// Recursive doubling: in round k ranks 2^k apart exchange the sums that they have so far, whole. log2(size) messages,
  /// the fewest bytes being of no weight.
  case doubling
  /// Recursive halving, then doubling: in round k ranks 2^k apart exchange halves of what they still add up, and give each
  /// other the finished parts on the way back. 2 log2(size) messages with 2 (1 - 1/size) times the vector's bytes, the
  /// fewest possible (Rabenseifner, "Optimization of collective reduction operations", 2004).
  case halving
  /// Through memory that the ranks of one node share: each sees the others' roots where they lie. No message; for any
  /// number of ranks and leaves.
  case shared
  /// In two levels: through the memory of each node, and between ranks at the same place of their nodes. Two exchanges of
  /// nodes - 1 messages and more; for any number of leaves, and as many ranks on each node.
  case nodes

  /// The bytes of a gradient up to which messages cost more than what is in them.
  static let largestDoubled = 16 << 10
  /// The bytes of a gradient up to which memory that ranks of one node share is faster than messages between them. What is
  /// larger takes as long by either, and would be in memory three times more, or for more roots of a rank more often.
  static let largestShared = 32 << 20
  /// The ranks up to which it pays that all send at once.
  static let mostDirectRanks = 8

  /// The one that is chosen for ranks that share no memory and have one root each, in a tree whose upper levels pair them.
  ///
  /// - Parameter isSharded: whether each rank has to finish a slice of its own, which in doubling none does.
  static func suited(toBytes bytes: Int, ranks: Int, isSharded: Bool = false) -> ExchangeForm {
    if bytes <= largestDoubled && !isSharded { return .doubling }
    return ranks > mostDirectRanks ? .halving : .direct
  }

  /// The one that gradients without compression take.
  ///
  /// - Parameters:
  ///   - tree: whose leaves the ranks share.
  ///   - parameterCount: the floats of a gradient.
  ///   - ranksPerNode: how many there are on each node, one after another; the last may have fewer.
  ///   - isSharded: whether each rank has to finish a slice of its own.
  public static func taken(
    by tree: GradientTree, parameterCount: Int, ranksPerNode: Int, isSharded: Bool = false
  ) -> ExchangeForm {
    guard tree.ranks > 1 else { return .direct }
    let floats = (parameterCount + GradientVector.unit - 1) / GradientVector.unit * GradientVector.unit
    let bytes = floats * MemoryLayout<Float>.stride
    let suited = suited(toBytes: bytes, ranks: tree.ranks, isSharded: isSharded)
    let pairsRanks = ReductionPlan(tree: tree, rank: 0, workers: 1).pairsRanks
    let perNode = min(ranksPerNode, tree.ranks)
    if perNode > 1, tree.ranks % perNode == 0,
      SharedRoots.fit(floats: floats, rootCapacity: tree.mostRoots, ranksPerNode: perNode)
    {
      if perNode == tree.ranks {
        if bytes <= largestShared { return .shared }
      } else if !(pairsRanks && suited == .doubling) {
        return .nodes
      }
    }
    return pairsRanks ? suited : .direct
  }

  /// Whether ranks of one node finish the whole gradient each for themselves, where it goes through memory.
  public static func finishesWhole(bytes: Int) -> Bool { bytes <= SharedExchange.largestWhole }
}

/// Tags of what travels besides roots, whose own count from 0: there are at most two a level of the tree.
enum ExchangeTag {
  static let statistics = 1000
  static let gathering = 1001
}

/// A way of bringing the ranks' roots together.
protocol RootExchange: AnyObject {
  var form: ExchangeForm { get }
  /// The floats of which each rank has the finished sum, by rank, where none has that of all.
  var slices: [Range<Int>] { get }
  /// Nanoseconds that additions of its own took in the last `sum`, where they can be told from the exchange.
  var finishing: UInt64 { get }

  /// Whether exchanges may go by this plan.
  func takes(_ plan: ReductionPlan) -> Bool

  /// Makes room, so that exchanges by this plan ask for no memory.
  ///
  /// - Parameter stock: the reduction's. What this plan uses of it is there, and stays where it is: the exchange may keep
  ///   pointers to it.
  func reserve(for plan: ReductionPlan, _ stock: [GradientVector]) throws(Failure)

  /// Adds the roots of all ranks.
  ///
  /// - Parameters:
  ///   - vectors: the reduction's stock, as `reserve` got it, of which the roots are overwritten.
  ///   - mean: becomes the sum divided by the samples, as far as this rank finishes it.
  /// - Returns: the sum of all roots' trailers, which stays until the next exchange.
  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> UnsafePointer<Double>

  /// Whether `gather` has anything to do: not where each rank finishes the whole.
  var gathers: Bool { get }

  /// Brings what each rank has in its slice to every rank. Once after each `sum`, where it `gathers`.
  ///
  /// - Parameter floats: as many as of a vector, aligned to 64 bytes.
  func gather(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure)
}
