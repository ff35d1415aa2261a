/// What a worker of an ordered all-reduce is doing.
public enum ReductionStage: Int, Sendable, CaseIterable {
  /// Computing the gradient of a microbatch.
  case computation
  /// Adding gradients of this rank.
  case addition
  /// Waiting for the slowest rank, and moving subtrees' roots to the ranks that finish them.
  case scattering
  /// Finishing the tree for this rank's slice.
  case finishing
  /// Moving finished slices to every rank.
  case gathering
  /// Nothing of the reduction.
  case idle
}

/// Told what a reduction is doing, to measure it.
///
/// Called on the workers' threads, several at a time.
public protocol ReductionObserver: AnyObject {
  func worker(_ worker: Int, enters stage: ReductionStage)
}
