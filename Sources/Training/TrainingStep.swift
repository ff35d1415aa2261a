import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Optimizers

/// One step of training, in step with the other ranks.
public final class TrainingStep {
  /// Told what this rank is doing, if set.
  public var observer: (any StepObserver)? {
    didSet {
      reduction.observer = observer
      groups?.observer = observer
      for (number, worker) in workers.enumerated() { worker.observer = observer?.workspaceObserver(ofWorker: number) }
    }
  }

  /// See `Trainer.isStopRequested`.
  var isStopRequested: () -> Bool = { false }
  private let network: Network
  private let update: ParameterUpdate
  private let dataset: any Dataset
  private let order: EpochOrder
  private let plan: BatchPlan
  private let reduction: OrderedAllReduce
  private let workers: [MicrobatchWorker]
  let checks: StepChecks
  private let groups: LocalGroups?

  /// What the gradients of this rank's steps so far took.
  var reductionTimes: ReductionTimes { groups?.times ?? reduction.times }
  /// How the ranks exchange gradients.
  var exchangeForm: ExchangeForm { reduction.form }
  /// Whether a step was made, with one gradient for all.
  private(set) var hasGradient = false
  /// What each rank updates, by rank.
  var slices: [Range<Int>] { reduction.slices }
  /// The mean gradient of the last step, `parameters.count` floats; where it is sharded this rank's slice of it, until
  /// `gatherGradient`.
  var gradient: UnsafePointer<Float> { reduction.gradient }

  init(
    network: Network, update: ParameterUpdate, dataset: any Dataset, order: EpochOrder, plan: BatchPlan,
    reduction: OrderedAllReduce, workers: [MicrobatchWorker], checks: StepChecks, groups: LocalGroups?
  ) {
    self.network = network
    self.update = update
    self.dataset = dataset
    self.order = order
    self.plan = plan
    self.reduction = reduction
    self.workers = workers
    self.checks = checks
    self.groups = groups
  }

  /// This rank's microbatches of one global batch → the gradient of each → the sum of all in the tree's order, over all
  /// ranks → the update, the same on every rank. Where it is sharded, each rank updates its slice and gets the other
  /// weights; with local steps, groups of microbatches do all this by themselves (`LocalSteps`).
  ///
  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - epoch: from 0.
  ///   - batch: its number in the epoch, from 0.
  /// - Returns: loss and right answers over the whole global batch, before the update.
  /// - Throws: a failure on every rank when the loss or the gradient is not finite, or a verification fails; whatever the
  ///   exchange throws.
  public func run(step: Int, epoch: Int, batch: Int) throws(Failure) -> StepStatistics {
    observer?.enters(.step(step))
    if batch == 0 { observer?.enters(.ordering) }
    order.prepare(epoch: epoch)
    let position = StepPosition(step: step, epoch: epoch, batch: batch)
    try checks.prepare()
    let statistics = if let groups { try run(position, in: groups) } else { try runTogether(position) }
    observer?.enters(.idle)
    return statistics
  }

  private func runTogether(_ position: StepPosition) throws(Failure) -> StepStatistics {
    let phase = Phase("gradient exchange", step: position.step)
    let statistics = try reduction.sum(leaves: plan.microbatchCount(ofBatch: position.batch), phase: phase) {
      (worker, microbatch, leaf) throws(Failure) in try compute(microbatch, of: position, worker, into: leaf)
    }
    if !reduction.isSharded { try reduction.gatherGradient(phase: phase) }
    hasGradient = true
    try checks.check(reduction, statistics, at: position)
    observer?.enters(.update)
    let squaredNorm = reduction.isSharded && update.clips ? try reduction.squaredNorm(phase: phase) : nil
    update.apply(
      step: position.step, parameters: network.parameters.values, gradients: reduction.gradient,
      squaredGradientNorm: squaredNorm)
    if reduction.isSharded {
      try reduction.gather(network.parameters.values, phase: Phase("weight exchange", step: position.step))
    }
    observer?.enters(.preparation)
    network.prepareParameters()
    return statistics
  }

  private func run(_ position: StepPosition, in groups: LocalGroups) throws(Failure) -> StepStatistics {
    let statistics = try groups.run(position, leaves: plan.microbatchCount(ofBatch: position.batch)) {
      (worker, microbatch, leaf) throws(Failure) in try compute(microbatch, of: position, worker, into: leaf)
    }
    try checks.finish(at: position)
    return statistics
  }

  private func compute(
    _ microbatch: Int, of position: StepPosition, _ worker: Int, into leaf: GradientVector
  ) throws(Failure) {
    observer?.worker(worker, computes: microbatch)
    try checks.compute(microbatch, of: position, worker: worker, into: leaf) { vector in
      workers[worker].computeGradient(
        of: plan.samples(ofBatch: position.batch, microbatch: microbatch), order: order, epoch: position.epoch,
        dataset: dataset, into: vector)
    }
    if isStopRequested() { leaf.statistics.stopRequests = 1 }
  }

  /// Brings the whole gradient of the last step to every rank, if there is one. Every rank has to call it between steps.
  func gatherGradient(_ step: Int) throws(Failure) {
    guard hasGradient else { return }
    try reduction.gatherGradientApart(phase: Phase("collection of the gradient", step: step))
  }

  /// See `OrderedAllReduce.gatherApart`.
  func gatherApart(_ floats: UnsafeMutablePointer<Float>, phase: Phase) throws(Failure) {
    try reduction.gatherApart(floats, phase: phase)
  }
}
