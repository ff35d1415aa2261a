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

  /// The bytes of a gradient up to which messages cost more than what is in them.
  static let largestDoubled = 16 << 10
  /// The ranks up to which it pays that all send at once.
  static let mostDirectRanks = 8

  /// The one that is chosen for ranks that have one root each, in a tree whose upper levels pair them.
  static func suited(toBytes bytes: Int, ranks: Int) -> ExchangeForm {
    if bytes <= largestDoubled { return .doubling }
    return ranks > mostDirectRanks ? .halving : .direct
  }

  /// The one that gradients without compression take.
  ///
  /// - Parameters:
  ///   - tree: whose leaves the ranks share.
  ///   - parameterCount: the floats of a gradient.
  public static func taken(by tree: GradientTree, parameterCount: Int) -> ExchangeForm {
    guard tree.ranks > 1, ReductionPlan(tree: tree, rank: 0, workers: 1).pairsRanks else { return .direct }
    let units = (parameterCount + GradientVector.unit - 1) / GradientVector.unit
    return suited(toBytes: units * GradientVector.unit * MemoryLayout<Float>.stride, ranks: tree.ranks)
  }
}

/// A way of bringing the ranks' roots together.
protocol RootExchange: AnyObject {
  /// Nanoseconds that additions of its own took in the last `sum`, where they can be told from the exchange.
  var finishing: UInt64 { get }

  /// Adds the roots of all ranks.
  ///
  /// - Parameters:
  ///   - vectors: the reduction's stock, of which the roots are overwritten.
  ///   - mean: becomes the sum divided by the samples, as far as this rank finishes it.
  /// - Returns: the statistics of all.
  func sum(
    _ plan: ReductionPlan, _ vectors: [GradientVector], into mean: GradientVector, phase: Phase,
    observer: (any ReductionObserver)?
  ) throws(Failure) -> StepStatistics

  /// Brings what each rank has finished to every rank.
  func gather(_ mean: GradientVector, phase: Phase) throws(Failure)
}
