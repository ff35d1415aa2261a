import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork

/// What is looked at around the gradient exchange of a step: that all numbers are finite, now and then that no processor
/// errs in silence, and what a person wants recorded of it.
final class StepChecks {
  /// Steps from one verification to the next; 0 for none.
  private let verifyEvery: Int
  private let communicator: any Communicator
  private let plan: BatchPlan
  /// Where the gradient's tree is cut, if it is.
  private let groups: Int?
  private let makeRecomputation: () throws(Failure) -> MicrobatchRecomputation
  private let verification: GradientVerification?
  /// One a worker, for gradients that are looked at before they go into the tree; empty until there is reason to.
  private var vectors: [GradientVector] = []
  private let makeVectors: () throws(Failure) -> [GradientVector]
  /// An error made on purpose, if set.
  var bitFlip: BitFlip?
  /// What is recorded of one step, if set.
  var recording: GradientRecording?

  /// - Throws: `.osError` where there is not enough memory.
  init(
    network: Network, dataset: any Dataset, order: EpochOrder, plan: BatchPlan, schedule: Trainer.Schedule,
    communicator: any Communicator
  ) throws(Failure) {
    verifyEvery = schedule.verifyEvery
    groups = schedule.compression?.groups ?? schedule.localSteps?.groups
    self.communicator = communicator
    self.plan = plan
    makeRecomputation = { () throws(Failure) in
      try MicrobatchRecomputation(
        network: network, dataset: dataset, order: order, plan: plan, augmentation: schedule.augmentation)
    }
    makeVectors = { () throws(Failure) in
      var vectors: [GradientVector] = []
      for _ in 0..<schedule.threads { vectors.append(try GradientVector(count: network.parameters.count)) }
      return vectors
    }
    verification =
      verifyEvery > 0
      ? GradientVerification(communicator: communicator, recomputation: try makeRecomputation()) : nil
    if verification != nil { vectors = try makeVectors() }
  }

  /// To be called before the microbatches of a step, on the thread of the step.
  func prepare() throws(Failure) {
    if vectors.isEmpty, bitFlip != nil || recording != nil { vectors = try makeVectors() }
  }

  /// Has a microbatch's gradient computed into its leaf; in steps where it is looked at, into a vector of its own first.
  ///
  /// Called on the workers' threads.
  func compute(
    _ microbatch: Int, of position: StepPosition, worker: Int, into leaf: GradientVector,
    _ compute: (_ vector: GradientVector) -> Void
  ) throws(Failure) {
    try InjectedFault.strike(.computation, rank: communicator.rank, step: position.step)
    let isVerified = verification != nil && isDue(position) && microbatch == microbatchOfTurn(position)
    let isRecorded = recording?.step == position.step
    let isFlipped =
      bitFlip?.step == position.step && bitFlip?.target == .gradient && microbatch == microbatchOfTurn(position)
    guard isVerified || isRecorded || isFlipped else { return compute(leaf) }
    let vector = vectors[worker]
    compute(vector)
    if isFlipped {
      bitFlip?.apply(
        to: vector.floats, count: vector.count, target: .gradient, rank: communicator.rank, step: position.step)
    }
    if isVerified { verification?.take(vector) }
    if isRecorded { recording?.take(vector, of: microbatch) }
    leaf.update(from: vector)
  }

  /// To be called between the exchange and the update. Every rank has to call it.
  ///
  /// - Parameter reduction: has the gradient of the mean loss, as the update will have it.
  /// - Throws: on every rank alike, where a number is not finite or a verification fails; what the exchange throws.
  func check(
    _ reduction: OrderedAllReduce, _ statistics: StepStatistics, at position: StepPosition
  ) throws(Failure) {
    let phase = Phase("comparison of what is finite", step: position.step)
    guard statistics.nonFinite == 0, try reduction.isFinite(phase: phase) else {
      try reduction.gatherGradientApart(phase: phase)
      throw try NonFiniteReport(
        recomputation: try makeRecomputation(), communicator: communicator, tree: tree(position)
      )
      .failure(at: position, statistics, gradient: reduction.gradient)
    }
    if let verification, isDue(position) {
      try verification.finish(position, turn: turn(position), in: tree(position))
    }
    try finish(at: position)
  }

  /// What there is to do besides, once a step on every rank.
  func finish(at position: StepPosition) throws(Failure) {
    if let recording, recording.step == position.step {
      try recording.finish(tree(position), communicator: communicator)
    }
    try InjectedFault.strike(.update, rank: communicator.rank, step: position.step)
  }

  private func isDue(_ position: StepPosition) -> Bool { position.step % verifyEvery == 0 }

  private func turn(_ position: StepPosition) -> Int { position.step / max(1, verifyEvery) }

  private func microbatchOfTurn(_ position: StepPosition) -> Int? {
    GradientVerification.microbatch(ofRank: communicator.rank, turn: turn(position), in: tree(position))
  }

  private func tree(_ position: StepPosition) -> GradientTree {
    GradientTree(leaves: plan.microbatchCount(ofBatch: position.batch), ranks: communicator.size, groups: groups)
  }
}
