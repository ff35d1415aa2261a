import Augmentation
import Checkpoints
import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Optimizers

/// Trains a network over the ranks of a job: the same bits at any number of them.
///
/// Every rank makes one, with the same arguments but the communicator, and calls `run`.
public final class Trainer {
  public let schedule: Schedule
  /// Steps made.
  public internal(set) var step = 0
  /// The evaluation with the fewest validation errors so far; nil without validation.
  public internal(set) var best: Checkpoint.Best?
  /// Told what this rank is doing inside its steps and evaluations, if set.
  public var stepObserver: (any StepObserver)? {
    didSet {
      trainingStep.observer = stepObserver
      evaluation.observer = stepObserver
      validation?.observer = stepObserver
    }
  }
  /// Asked on each rank now and then; when it answers true the ranks agree to stop after the step they are in.
  public var isStopRequested: () -> Bool = { false } {
    didSet {
      trainingStep.isStopRequested = isStopRequested
      evaluation.isStopRequested = isStopRequested
      validation?.isStopRequested = isStopRequested
    }
  }
  let network: Network
  let update: ParameterUpdate
  let communicator: any Communicator
  let plan: BatchPlan
  let order: EpochOrder
  private let agreement: StateAgreement
  /// What compression has left of gradients; nil without.
  let residuals: GradientResiduals?
  /// The optimizer's state, where each rank keeps a slice of it; nil where all keep the whole.
  let shards: StateShards?
  /// Where groups train by themselves between averages; nil elsewhere.
  let groups: LocalGroups?
  public let trainingStep: TrainingStep
  /// Of the test samples.
  public let evaluation: Evaluation
  /// Of the samples that are held back to choose by; nil without any.
  public let validation: Evaluation?
  private let clock: RankClock
  /// Whether the last evaluation of the run leaves its predictions. The same on every rank.
  var keepsPredictions = false
  /// Whether rank 0 has the whole gradient of an epoch's last step when it is told of the epoch. The same on every rank.
  var keepsGradient = false
  /// What the network answered in the last evaluation of the run; nil before, and on other ranks than 0.
  private(set) var predictions: Predictions?

  /// As the other, of an optimizer that was made for all parameters; so not for a schedule that shards it or has local
  /// steps.
  public convenience init(
    network: Network, optimizer: any Optimizer, training: any Dataset, test: any Dataset,
    validation: (any Dataset)? = nil, schedule: Schedule, communicator: any Communicator
  ) throws(Failure) {
    guard schedule.localSteps == nil, !schedule.isSharded || communicator.size == 1 else {
      throw Failure(
        .configuration,
        schedule.localSteps == nil
          ? "the schedule shards the optimizer among \(communicator.size) ranks, and it is made already"
          : "the schedule has local steps, in which each group has an optimizer of its own, and one is made already",
        remedy: "pass makeOptimizer, which makes each, and is told for how many parameters")
    }
    try self.init(
      network: network, makeOptimizer: { _ in optimizer }, training: training, test: test, validation: validation,
      schedule: schedule, communicator: communicator)
  }

  /// - Parameters:
  ///   - makeOptimizer: makes it for so many parameters: all of them, `ParameterStore.paddedCount`, or this rank's slice.
  ///   - validation: samples to evaluate and choose by, so that the test's are used at the end alone; nil to evaluate the
  ///     test's throughout.
  /// - Throws: `.configuration` where there are more ranks than microbatches or the optimizer cannot be sharded as the
  ///   schedule asks, `.badData` where there is no sample, `.osError` where memory or threads cannot be had.
  public init(
    network: Network, makeOptimizer: (_ count: Int) -> any Optimizer, training: any Dataset, test: any Dataset,
    validation: (any Dataset)? = nil, schedule: Schedule, communicator: any Communicator
  ) throws(Failure) {
    for dataset in [training, test] + (validation.map { [$0] } ?? []) {
      guard dataset.count > 0 else {
        throw Failure(.badData, "\(dataset.name) (\(dataset.origin)) has no samples", remedy: "choose other data")
      }
      try network.require(dataset)
    }
    self.schedule = schedule
    self.network = network
    self.communicator = communicator
    plan = BatchPlan(sampleCount: training.count, batch: schedule.batch, microbatch: schedule.microbatch)
    try GradientTree.check(
      batch: plan.samples(ofBatch: 0).count, microbatch: schedule.microbatch, ranks: communicator.size)
    try schedule.compression?.check(leaves: plan.microbatchCount(ofBatch: 0), ranks: communicator.size)
    try schedule.localSteps?.check(
      schedule, leaves: plan.microbatchCount(ofBatch: 0), ranks: communicator.size,
      stepsPerEpoch: plan.batchesPerEpoch)
    let workers = (0..<schedule.threads).map { _ in
      MicrobatchWorker(
        network: network, largestMicrobatch: max(schedule.microbatch, schedule.evaluationMicrobatch),
        augmenter: Augmenter(schedule.augmentation, for: training.imageShape, seed: schedule.seed),
        testTimeAugmentation: schedule.testTimeAugmentation)
    }
    let leaves = plan.microbatchCount(ofBatch: 0)
    // A group's gradients are of one rank alone.
    let reduction = try OrderedAllReduce(
      communicator: schedule.localSteps == nil ? communicator : SingleProcess(),
      parameterCount: network.parameters.count,
      maximumLeaves: schedule.localSteps.map { LocalGroups.largest($0, leaves: leaves) } ?? leaves,
      workers: schedule.threads, compression: schedule.compression, isSharded: schedule.isSharded)
    residuals = reduction.residuals
    let (plan, parameters) = (plan, network.parameters)
    func makeUpdate() throws(Failure) -> ParameterUpdate {
      try Self.makeUpdate(makeOptimizer, reduction, schedule, plan, parameters)
    }
    if let localSteps = schedule.localSteps {
      let groups = try LocalGroups(
        localSteps, network: network, communicator: communicator, stepsPerEpoch: plan.batchesPerEpoch,
        gradients: reduction, makeUpdate: makeUpdate)
      // Who has weights already may make steps with them, without `run`.
      groups.spread()
      (self.groups, update) = (groups, groups.update)
    } else {
      (groups, update) = (nil, try makeUpdate())
    }
    shards = reduction.isSharded ? StateShards(update.states, slices: reduction.slices, of: communicator) : nil
    // Of slices no two ranks have the same.
    let common = reduction.isSharded ? [] : update.states
    agreement = StateAgreement(communicator: communicator, parts: network.parameters.parts(with: common))
    order = EpochOrder(sampleCount: training.count, seed: schedule.seed)
    let checks = try StepChecks(
      network: network, dataset: training, order: order, plan: plan, schedule: schedule,
      communicator: communicator)
    trainingStep = TrainingStep(
      network: network, update: update, dataset: training, order: order, plan: plan, reduction: reduction,
      workers: workers, checks: checks, groups: groups)
    clock = RankClock(communicator)
    evaluation = try Evaluation(
      dataset: test, microbatch: schedule.evaluationMicrobatch, workers: workers, communicator: communicator)
    if let validation {
      self.validation = try Evaluation(
        "validation", dataset: validation, microbatch: schedule.evaluationMicrobatch, workers: workers,
        communicator: communicator)
    } else {
      self.validation = nil
    }
  }

  public var stepsPerEpoch: Int { plan.batchesPerEpoch }

  /// Steps of the whole run.
  public var totalSteps: Int { min(schedule.maximumSteps ?? .max, schedule.epochs * stepsPerEpoch) }

  /// Samples that the whole run passes over, each as often as it comes.
  public var totalSamples: Int { samples(ofSteps: totalSteps) }

  /// Samples that this many steps from the start of a run pass over.
  func samples(ofSteps count: Int) -> Int {
    let (epochs, steps) = count.quotientAndRemainder(dividingBy: stepsPerEpoch)
    return epochs * plan.sampleCount + (steps > 0 ? plan.samples(ofBatch: steps - 1).upperBound : 0)
  }

  /// Evaluations of the whole run.
  public var totalEvaluations: Int {
    let epochs = totalSteps / stepsPerEpoch
    let isLastOnTime = totalSteps % stepsPerEpoch == 0 && epochs % schedule.evaluateEveryEpochs == 0
    return epochs / schedule.evaluateEveryEpochs + (isLastOnTime ? 0 : 1)
  }

  /// Evaluations up to the step that was last made, without the one that may follow it.
  var evaluationsMade: Int { max(0, step - 1) / stepsPerEpoch / schedule.evaluateEveryEpochs }

  /// Trains from rank 0's state to the end of the schedule, or until validation does not get better any more.
  ///
  /// - Parameter observer: told what happens; usually on rank 0 alone.
  /// - Returns: what the evaluation of the test samples at the end found.
  /// - Throws: what a step, an evaluation, the exchange or the observer throws. The job has to end then. `.preempted` on
  ///   every rank where one was asked to stop; then all are between two steps and may still talk to each other.
  public func run(observer: (any TrainingObserver)? = nil) throws(Failure) -> Evaluation.Result {
    try shareState()
    network.prepareParameters()
    var isStopping = false
    observer?.trainingStarts()
    // Who goes on at the end of an epoch goes on as though the last step had just been made.
    if step > 0, let result = try finishEpoch(observer) { return result }
    while true {
      shards?.release()
      let (epoch, batch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      let start = monotonicNanoseconds()
      let statistics = try trainingStep.run(step: step + 1, epoch: epoch, batch: batch)
      clock.stepDone(nanoseconds: monotonicNanoseconds() - start)
      step += 1
      isStopping = isStopping || statistics.stopRequests > 0
      try agree(isStopping: isStopping)
      try observer?.stepDone(step, epoch: epoch, statistics)
      guard !isStopping || !isSynchronised else { throw .stopped(after: step) }
      if let result = try finishEpoch(observer) { return result }
    }
  }

  /// Compares the ranks' states where that is due, and always before one of them may be written to a file.
  private func agree(isStopping: Bool) throws(Failure) {
    // An error that is made on purpose comes first, so that it can be found.
    trainingStep.checks.bitFlip?.apply(
      to: network.parameters.values, count: network.parameters.count, target: .weights, rank: communicator.rank,
      step: step)
    // Between two synchronisations no two ranks have the same; what was due then is due at the next.
    guard isSynchronised else { return }
    let last =
      schedule.localSteps?.synchronisation(before: step, stepsPerEpoch: stepsPerEpoch) ?? step - 1
    func isMultiple(of period: Int) -> Bool { period > 0 && step / period > last / period }
    guard
      isStopping || step == totalSteps || isMultiple(of: stepsPerEpoch) || isMultiple(of: schedule.agreeEvery)
        || isMultiple(of: schedule.checkpointEverySteps)
    else { return }
    try agreement.check(afterStep: step)
    // Rank 0 writes them all, which has only its own groups' and its own slice as they are now.
    let mayBeWritten =
      isStopping || step == totalSteps || isMultiple(of: stepsPerEpoch) || isMultiple(of: schedule.checkpointEverySteps)
    if mayBeWritten {
      try residuals?.gather(afterStep: step)
      try shards?.gather(afterStep: step)
    }
  }

  /// Whether all ranks have the same after the last step, which can be evaluated and written then.
  private var isSynchronised: Bool {
    schedule.localSteps?.isSynchronised(afterStep: step, stepsPerEpoch: stepsPerEpoch) ?? true
  }

  /// Evaluates if the last step was the last of an epoch or of the run, and if it is due.
  ///
  /// - Returns: what was found of the test samples, where the run is over.
  private func finishEpoch(_ observer: (any TrainingObserver)?) throws(Failure) -> Evaluation.Result? {
    guard step % stepsPerEpoch == 0 || step == totalSteps else { return nil }
    let epoch = (step - 1) / stepsPerEpoch
    let isDue = (epoch + 1) % schedule.evaluateEveryEpochs == 0 || step == totalSteps
    let result = isDue ? try evaluate(validation ?? evaluation) : nil
    if validation != nil, let result, result.errors < best?.errors ?? .max {
      best = Checkpoint.Best(step: step, errors: result.errors)
    }
    let times = try clock.gather(trainingStep.reductionTimes, step: step)
    if keepsGradient { try trainingStep.gatherGradient(step) }
    if !times.isEmpty { try observer?.ranksMeasured(times, epoch: epoch, step: step) }
    try observer?.epochDone(epoch, step: step, result)
    guard step == totalSteps || isDue && hasStoppedImproving else { return nil }
    return validation == nil ? result : try evaluate(evaluation)
  }

  /// Whether validation has been no better for so many evaluations that the run ends.
  private var hasStoppedImproving: Bool {
    guard schedule.earlyStoppingPatience > 0, let best else { return false }
    return (step - best.step) / stepsPerEpoch / schedule.evaluateEveryEpochs >= schedule.earlyStoppingPatience
  }

  /// Evaluates the weights that the run gives: their average where one is kept.
  private func evaluate(_ evaluation: Evaluation) throws(Failure) -> Evaluation.Result {
    try exchangeAverage()
    let result: Evaluation.Result
    do throws(Failure) {
      if keepsPredictions && step == totalSteps && evaluation === self.evaluation {
        (result, predictions) = try evaluation.runWithPredictions(step: step)
      } else {
        result = try evaluation.run(step: step)
      }
    } catch {
      // All ranks have agreed to stop, and what they have is written.
      if error.code == .preempted { try exchangeAverage() }
      throw error
    }
    try exchangeAverage()
    return result
  }
}

extension Augmenter {
  /// Nil where the settings leave the images as they are.
  convenience init?(_ settings: AugmentationSettings, for shape: ImageShape, seed: UInt64) {
    guard !settings.isOff else { return nil }
    self.init(settings, channels: shape.channels, height: shape.height, width: shape.width, seed: seed)
  }
}
