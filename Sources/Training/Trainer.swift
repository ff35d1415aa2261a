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
  public private(set) var step = 0
  /// Told what this rank is doing inside its steps and evaluations, if set.
  public var stepObserver: (any StepObserver)? {
    didSet {
      trainingStep.observer = stepObserver
      evaluation.observer = stepObserver
    }
  }
  private let network: Network
  private let communicator: any Communicator
  private let plan: BatchPlan
  public let trainingStep: TrainingStep
  public let evaluation: Evaluation

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
    evaluation = try Evaluation(
      dataset: test, microbatch: schedule.evaluationMicrobatch, workers: workers, communicator: communicator)
  }

  public var stepsPerEpoch: Int { plan.batchesPerEpoch }

  /// Steps of the whole run.
  public var totalSteps: Int { min(schedule.maximumSteps ?? .max, schedule.epochs * stepsPerEpoch) }

  /// Samples that the whole run passes over, each as often as it comes.
  public var totalSamples: Int {
    let (epochs, steps) = totalSteps.quotientAndRemainder(dividingBy: stepsPerEpoch)
    return epochs * plan.sampleCount + (steps > 0 ? plan.samples(ofBatch: steps - 1).upperBound : 0)
  }

  /// Evaluations of the whole run.
  public var totalEvaluations: Int {
    let epochs = totalSteps / stepsPerEpoch
    let isLastOnTime = totalSteps % stepsPerEpoch == 0 && epochs % schedule.evaluateEveryEpochs == 0
    return epochs / schedule.evaluateEveryEpochs + (isLastOnTime ? 0 : 1)
  }

  /// Trains from rank 0's parameters to the end of the schedule.
  ///
  /// - Parameter observer: told what happens; usually on rank 0 alone.
  /// - Returns: what the last evaluation found.
  /// - Throws: what a step, an evaluation, the exchange or the observer throws. The job has to end then.
  public func run(observer: (any TrainingObserver)? = nil) throws(Failure) -> Evaluation.Result {
    try communicator.broadcast(network.parameters.bytes, phase: Phase("broadcast of the initial weights"))
    network.prepareParameters()
    observer?.trainingStarts()
    while true {
      let (epoch, batch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      let statistics = try trainingStep.run(step: step + 1, epoch: epoch, batch: batch)
      step += 1
      try observer?.stepDone(step, epoch: epoch, statistics)
      guard batch + 1 == stepsPerEpoch || step == totalSteps else { continue }
      let isDue = (epoch + 1) % schedule.evaluateEveryEpochs == 0 || step == totalSteps
      let result = isDue ? try evaluation.run(step: step) : nil
      try observer?.epochDone(epoch, step: step, result)
      if let result, step == totalSteps { return result }
    }
  }
}
