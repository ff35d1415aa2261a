import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork

/// Loss and accuracy of a network over a whole data set, over all ranks: each sample counts once, the right answers are
/// summed as integers and the loss in the tree's order over microbatches of fixed size, so that every number of ranks
/// gives the same.
public final class Evaluation {
  /// What an evaluation found, the same on every rank.
  public struct Result: Equatable, Sendable {
    /// The mean over the samples, in nats.
    public let loss: Double
    public let errors: Int
    public let samples: Int

    /// In [0, 1].
    public var accuracy: Double { Double(samples - errors) / Double(samples) }

    public init(loss: Double, errors: Int, samples: Int) {
      self.loss = loss
      self.errors = errors
      self.samples = samples
    }
  }

  /// Told what this rank is doing, if set.
  public var observer: (any StepObserver)? {
    didSet {
      reduction.observer = observer
      for (number, worker) in workers.enumerated() { worker.observer = observer?.workspaceObserver(ofWorker: number) }
    }
  }

  /// Samples of the data set.
  public var sampleCount: Int { plan.sampleCount }

  /// See `Trainer.isStopRequested`.
  var isStopRequested: () -> Bool = { false }
  /// "test" or "validation", for messages.
  private let name: String
  let dataset: any Dataset
  let plan: BatchPlan
  let communicator: any Communicator
  private let reduction: OrderedAllReduce
  let workers: [MicrobatchWorker]

  /// - Parameters:
  ///   - microbatch: samples a leaf of the tree.
  ///   - threads: threads of this rank that share its microbatches.
  ///   - testTimeAugmentation: how it looks at a sample; nil: at the image alone.
  public convenience init(
    network: Network, dataset: any Dataset, microbatch: Int, threads: Int = 1,
    testTimeAugmentation: TestTimeAugmentation? = nil, communicator: any Communicator
  ) throws(Failure) {
    let workers = (0..<threads).map { _ in
      MicrobatchWorker(
        network: network, largestMicrobatch: microbatch, testTimeAugmentation: testTimeAugmentation)
    }
    try network.require(dataset)
    try self.init(dataset: dataset, microbatch: microbatch, workers: workers, communicator: communicator)
  }

  init(
    _ name: String = "test", dataset: any Dataset, microbatch: Int, workers: [MicrobatchWorker],
    communicator: any Communicator
  ) throws(Failure) {
    self.name = name
    self.dataset = dataset
    self.workers = workers
    self.communicator = communicator
    plan = BatchPlan(sampleCount: dataset.count, batch: max(1, dataset.count), microbatch: microbatch)
    // Of a gradient without parameters nothing is left but the statistics that travel with it.
    reduction = try OrderedAllReduce(
      communicator: communicator, parameterCount: 0, maximumLeaves: plan.microbatchCount(ofBatch: 0),
      workers: workers.count)
  }

  /// - Parameter step: steps made so far, for the message of an error.
  /// - Throws: on every rank a failure when the loss is not finite, and `.preempted` where one was asked to stop;
  ///   whatever the exchange throws.
  public func run(step: Int? = nil) throws(Failure) -> Result { try run(step: step, scores: nil) }

  /// - Parameter scores: where this rank's samples leave their scores, [samples][classes] for all of them, if given.
  func run(step: Int?, scores: UnsafeMutablePointer<Float>?) throws(Failure) -> Result {
    observer?.enters(.evaluation(afterStep: step ?? 0))
    defer { observer?.enters(.idle) }
    let (_, statistics) = try reduction.reduce(
      leaves: plan.microbatchCount(ofBatch: 0), phase: Phase("evaluation", step: step)
    ) { (worker, microbatch, leaf) throws(Failure) in
      observer?.worker(worker, computes: microbatch)
      try InjectedFault.strike(.evaluation, rank: reduction.rank, step: step ?? 0)
      guard !isStopRequested() else {
        leaf.statistics = StepStatistics(samples: 1, stopRequests: 1)
        return
      }
      workers[worker].evaluate(
        plan.samples(ofBatch: 0, microbatch: microbatch), dataset: dataset, into: leaf, scores: scores)
    }
    guard statistics.stopRequests == 0 else { throw .stopped(after: step ?? 0) }
    guard statistics.nonFinite == 0 else {
      throw Failure(
        .failure,
        "the loss over the \(name) samples is \(statistics.lossSum)\(step.map { " after step \($0)" } ?? ""): the weights are no use",
        remedy: "lower optimizer.learning_rate, or take other weights")
    }
    return Result(
      loss: statistics.meanLoss, errors: statistics.samples - statistics.correct, samples: statistics.samples)
  }
}
