import Communication
import Configuration
import DataParallel
import Datasets
import Digests
import Failures
import NeuralNetwork
import Testing

@testable import Training

/// A network and data so small that a job of several ranks trains in the blink of an eye.
struct SmallJob: Sendable {
  var settings = Settings()
  var trainingSamples = 37
  var testSamples = 23
  var maximumSteps: Int?
  /// Samples to choose by; 0: none.
  var validationSamples = 0

  init() {
    settings.model.filters = [8, 8]
    settings.model.filterSizes = [3, 3]
    settings.model.paddings = [1, 1]
    settings.model.strides = [2, 2]
    settings.model.hiddenSize = 16
    settings.training.epochs = 2
    settings.training.batch = 10
    settings.training.microbatch = 2
    settings.evaluation.microbatch = 4
  }

  func network() throws(Failure) -> Network {
    try settings.makeNetwork(for: ImageShape(channels: 1, height: 28, width: 28))
  }

  func dataset(_ subset: Subset) throws(Failure) -> SyntheticDigits {
    try SyntheticDigits(subset: subset, count: subset == .training ? trainingSamples : testSamples)
  }

  /// Turns on all that there is in training.
  mutating func turnAllOn(optimizer: Settings.Optimizer.Name = .adam) {
    settings.augmentation.rotation = 15
    settings.augmentation.shift = 2
    settings.augmentation.scale = 0.1
    settings.augmentation.shear = 5
    settings.augmentation.elastic = 1
    settings.augmentation.crop = 1
    settings.augmentation.flip = 0.5
    settings.augmentation.brightness = 0.1
    settings.augmentation.contrast = 0.1
    settings.augmentation.noise = 0.05
    settings.augmentation.erasing = 0.5
    settings.evaluation.views = 3
    settings.model.precision = .bfloat16
    settings.training.labelSmoothing = 0.1
    settings.optimizer.name = optimizer
    settings.optimizer.nesterov = true
    settings.optimizer.weightDecay = 0.01
    settings.optimizer.clipNorm = 0.5
    settings.optimizer.averageDecay = 0.9
    settings.optimizer.schedule = .cosine
    settings.optimizer.warmupSteps = 3
    settings.optimizer.finalRate = 0.1
    settings.optimizer.batchScaling = .squareRoot
    validationSamples = 11
  }

  /// What a run ended in, on one rank.
  struct Outcome: Equatable, Sendable {
    let weights: Digest
    let result: Evaluation.Result
  }

  /// Trains one rank's part. Only rank 0 has initial weights.
  ///
  /// - Parameter prepare: what to do to the trainer before.
  func run(
    on communicator: any Communicator, observer: (any TrainingObserver)? = nil, prepare: (Trainer) -> Void = { _ in }
  ) throws(Failure) -> Outcome {
    let network = try network()
    if communicator.rank == 0 { network.parameters.initialize(seed: settings.seed) }
    let trainer = try Trainer(
      network: network, makeOptimizer: { settings.makeOptimizer(for: network.parameters, count: $0) },
      training: try dataset(.training), test: try dataset(.test),
      validation: validationSamples > 0 ? SyntheticDigits(subset: .test, count: validationSamples, seed: 1) : nil,
      schedule: settings.schedule(maximumSteps: maximumSteps, threads: max(1, settings.training.threads)),
      communicator: communicator)
    prepare(trainer)
    let result = try trainer.run(observer: observer)
    return Outcome(weights: SHA256.of(UnsafeRawBufferPointer(network.parameters.bytes)), result: result)
  }

  /// Trains on some replicas; every rank ends alike, or that is an error.
  func run(replicas: Int) throws -> Outcome {
    let outcomes = try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
      try run(on: communicator)
    }
    #expect(outcomes.count == replicas)
    #expect(Set(outcomes.map(\.weights)).count == 1)
    #expect(outcomes.allSatisfy { $0.result == outcomes[0].result })
    return outcomes[0]
  }
}

/// Writes down all that a trainer tells.
final class Recorder: TrainingObserver {
  enum Event: Equatable {
    case start
    case step(Int, epoch: Int, samples: Int)
    case epoch(Int, step: Int, isEvaluated: Bool)
  }

  private(set) var events: [Event] = []
  private(set) var losses: [Double] = []
  private(set) var results: [Evaluation.Result] = []

  func trainingStarts() { events.append(.start) }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) {
    events.append(.step(step, epoch: epoch, samples: statistics.samples))
    losses.append(statistics.meanLoss)
  }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) {
    events.append(.epoch(epoch, step: step, isEvaluated: evaluation != nil))
    if let evaluation { results.append(evaluation) }
  }
}
