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
  /// How long to train, in which pieces.
  public struct Schedule: Equatable, Sendable {
    /// Key of the samples' order and of dropout.
    public var seed: UInt64 = 0
    public var epochs = 20
    /// Ends the run after this many steps, in the middle of an epoch too.
    public var maximumSteps: Int?
    /// Samples a global batch, over all ranks.
    public var batch = 100
    /// Samples a leaf of the gradient tree.
    public var microbatch = 5
    /// Samples a leaf of the evaluation's tree.
    public var evaluationMicrobatch = 100
    /// Epochs from one evaluation to the next. The end of the run is always evaluated.
    public var evaluateEveryEpochs = 1
    /// Threads of each rank that compute microbatches side by side.
    public var threads = 1

    public init() {}
  }

  public let schedule: Schedule
  /// Steps made.
  public internal(set) var step = 0
  /// Told what this rank is doing inside its steps and evaluations, if set.
  public var stepObserver: (any StepObserver)? {
    didSet {
      trainingStep.observer = stepObserver
      evaluation.observer = stepObserver
    }
  }
  /// Asked on each rank now and then; when it answers true the ranks agree to stop after the step they are in.
  public var isStopRequested: () -> Bool = { false } {
    didSet {
      trainingStep.isStopRequested = isStopRequested
      evaluation.isStopRequested = isStopRequested
    }
  }
  let network: Network
  let optimizer: Adam
  let communicator: any Communicator
  private let plan: BatchPlan
  public let trainingStep: TrainingStep
  public let evaluation: Evaluation
  private let clock: RankClock
  /// Whether the last evaluation of the run leaves its predictions. The same on every rank.
  var keepsPredictions = false
  /// What the network answered in the last evaluation of the run; nil before, and on other ranks than 0.
  private(set) var predictions: Predictions?

  /// - Throws: `.configuration` where there are more ranks than microbatches, `.badData` where there is no sample,
  ///   `.osError` where memory or threads cannot be had.
  public init(
    network: Network, optimizer: Adam, training: any Dataset, test: any Dataset, schedule: Schedule,
    communicator: any Communicator
  ) throws(Failure) {
    for dataset in [training, test] {
      guard dataset.count > 0 else {
        throw Failure(.badData, "\(dataset.name) (\(dataset.origin)) has no samples", remedy: "choose other data")
      }
      try network.require(dataset)
    }
    self.schedule = schedule
    self.network = network
    self.optimizer = optimizer
    self.communicator = communicator
    plan = BatchPlan(sampleCount: training.count, batch: schedule.batch, microbatch: schedule.microbatch)
    try GradientTree.check(
      batch: plan.samples(ofBatch: 0).count, microbatch: schedule.microbatch, ranks: communicator.size)
    let workers = (0..<schedule.threads).map { _ in
      MicrobatchWorker(
        network: network, largestMicrobatch: max(schedule.microbatch, schedule.evaluationMicrobatch))
    }
    let reduction = try OrderedAllReduce(
      communicator: communicator, parameterCount: network.parameters.count,
      maximumLeaves: plan.microbatchCount(ofBatch: 0), workers: schedule.threads)
    trainingStep = TrainingStep(
      network: network, optimizer: optimizer, dataset: training,
      order: EpochOrder(sampleCount: training.count, seed: schedule.seed), plan: plan, reduction: reduction,
      workers: workers)
    clock = RankClock(communicator)
    evaluation = try Evaluation(
      dataset: test, microbatch: schedule.evaluationMicrobatch, workers: workers, communicator: communicator)
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

  /// Trains from rank 0's state to the end of the schedule.
  ///
  /// - Parameter observer: told what happens; usually on rank 0 alone.
  /// - Returns: what the last evaluation found.
  /// - Throws: what a step, an evaluation, the exchange or the observer throws. The job has to end then. `.preempted` on
  ///   every rank where one was asked to stop; then all are between two steps and may still talk to each other.
  public func run(observer: (any TrainingObserver)? = nil) throws(Failure) -> Evaluation.Result {
    try shareState()
    network.prepareParameters()
    observer?.trainingStarts()
    // Who goes on at the end of an epoch goes on as though the last step had just been made.
    if step > 0, let result = try finishEpoch(observer) { return result }
    while true {
      let (epoch, batch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      let start = monotonicNanoseconds()
      let statistics = try trainingStep.run(step: step + 1, epoch: epoch, batch: batch)
      clock.stepDone(nanoseconds: monotonicNanoseconds() - start)
      step += 1
      try observer?.stepDone(step, epoch: epoch, statistics)
      guard statistics.stopRequests == 0 else { throw .stopped(after: step) }
      if let result = try finishEpoch(observer) { return result }
    }
  }

  /// Evaluates if the last step was the last of an epoch or of the run, and if it is due.
  ///
  /// - Returns: what was found, where the run is over.
  private func finishEpoch(_ observer: (any TrainingObserver)?) throws(Failure) -> Evaluation.Result? {
    guard step % stepsPerEpoch == 0 || step == totalSteps else { return nil }
    let epoch = (step - 1) / stepsPerEpoch
    let isDue = (epoch + 1) % schedule.evaluateEveryEpochs == 0 || step == totalSteps
    let result = isDue ? try evaluate() : nil
    let times = try clock.gather(trainingStep.reductionTimes, step: step)
    if !times.isEmpty { try observer?.ranksMeasured(times, epoch: epoch, step: step) }
    try observer?.epochDone(epoch, step: step, result)
    return step == totalSteps ? result : nil
  }

  private func evaluate() throws(Failure) -> Evaluation.Result {
    guard keepsPredictions, step == totalSteps else { return try evaluation.run(step: step) }
    let (result, predictions) = try evaluation.runWithPredictions(step: step)
    self.predictions = predictions
    return result
  }
}
