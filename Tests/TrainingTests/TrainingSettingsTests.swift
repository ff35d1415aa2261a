import Checkpoints
import Communication
import Configuration
import Datasets
import Failures
import NeuralNetwork
import Optimizers
import Testing

@testable import Training

@Suite struct TrainingSettingsTests {
  @Test(arguments: Settings.Optimizer.Name.allCases)
  func withAllOnTheBitsDoNotDependOnRanksAndThreads(optimizer: Settings.Optimizer.Name) throws {
    var job = SmallJob()
    job.turnAllOn(optimizer: optimizer)
    let alone = try job.run(on: SingleProcess())
    for replicas in 1...3 { #expect(try job.run(replicas: replicas) == alone) }
    job.settings.training.threads = 3
    #expect(try job.run(on: SingleProcess()) == alone)
    #expect(try job.run(replicas: 2) == alone)
  }

  /// Every setting does something, and is the same done twice.
  @Test(
    arguments: [
      "augmentation.rotation=10", "augmentation.shift=1", "augmentation.scale=0.1", "augmentation.shear=10",
      "augmentation.elastic=1", "augmentation.crop=1", "augmentation.flip=0.5", "augmentation.brightness=0.1",
      "augmentation.contrast=0.1", "augmentation.noise=0.1", "augmentation.erasing=0.5", "training.label_smoothing=0.1",
      "optimizer.name=sgd",
      "optimizer.name=lamb",
      "optimizer.weight_decay=0.1", "optimizer.clip_norm=0.01", "optimizer.schedule=cosine",
      "optimizer.schedule=linear", "optimizer.warmup_steps=5", "optimizer.warmup_epochs=1",
    ])
  func everySettingChangesTheBits(setting: String) throws {
    var job = SmallJob()
    let plain = try job.run(on: SingleProcess())
    job.settings = try SettingsLoader.load(
      text: job.settings.yaml(), named: "the small job", overrides: [setting])
    let changed = try job.run(on: SingleProcess())
    #expect(changed.weights != plain.weights)
    #expect(try job.run(on: SingleProcess()) == changed)
  }

  @Test func theLearningRateGrowsWithTheBatchAsAsked() {
    var settings = Settings()
    settings.training.batch = 400
    settings.optimizer.learningRate = 0.01
    for (scaling, rate) in [(Settings.Optimizer.BatchScaling.none, 0.01), (.linear, 0.04), (.squareRoot, 0.02)] {
      settings.optimizer.batchScaling = scaling
      #expect(abs(settings.learningRateSchedule.peak - rate) <= 1e-15)
    }
  }

  @Test func aScheduleThatEndsWithTheRunBelongsToTheArithmetic() throws {
    var (short, long) = (Settings(), Settings())
    long.training.epochs = 30
    #expect(short.arithmeticText == long.arithmeticText)
    (short.optimizer.schedule, long.optimizer.schedule) = (.cosine, .cosine)
    #expect(
      long.differences(from: short, in: [.arithmetic]).map(\.description)
        == ["optimizer.schedule_epochs is 30 here and 20 there"])
    // What a checkpoint says is the same as what it was written under.
    let stored = try SettingsLoader.load(text: short.arithmeticText, named: "a checkpoint")
    #expect(short.differences(from: stored, in: [.arithmetic]).isEmpty)
  }

  @Test func validationIsTheEndOfTheTrainingSamples() throws {
    let settings = try SettingsLoader.load(
      file: nil,
      overrides: ["dataset.name=synthetic-digits", "dataset.training_samples=50", "dataset.validation_samples=20"])
    let training = try settings.openDataset(.training)
    let validation = try #require(try settings.openValidation())
    let whole = try SyntheticDigits(subset: .training, count: 50)
    func sample(_ dataset: any Dataset, _ index: Int) -> [UInt8] {
      var pixels = [UInt8](repeating: 0, count: 784)
      let label = pixels.withUnsafeMutableBufferPointer { dataset.read(index, into: $0.baseAddress.unsafelyUnwrapped) }
      return pixels + [UInt8(label)]
    }
    #expect(training.count == 30 && validation.count == 20)
    for index in 0..<30 { #expect(sample(training, index) == sample(whole, index)) }
    for index in 0..<20 { #expect(sample(validation, index) == sample(whole, 30 + index)) }
    for count in [50, 51] {
      var more = settings
      more.dataset.validationSamples = count
      let failure = #expect(throws: Failure.self) { try more.openDataset(.training) }
      #expect(failure?.code == .configuration)
    }
  }

  @Test func theTestSamplesWaitForTheEnd() throws {
    var job = SmallJob()
    job.validationSamples = 11
    let recorder = Recorder()
    let outcome = try job.run(on: SingleProcess(), observer: recorder)
    #expect(recorder.results.map(\.samples) == [11, 11])
    #expect(outcome.result.samples == 23)
    // Who chooses by other samples trains alike.
    job.validationSamples = 0
    #expect(try job.run(on: SingleProcess()).weights == outcome.weights)
  }

  @Test func aRunEndsWhenValidationDoesNotGetBetter() throws {
    var job = SmallJob()
    job.validationSamples = 40
    job.trainingSamples = 300
    job.settings.training.epochs = 200
    job.settings.training.earlyStoppingPatience = 3
    let recorder = Recorder()
    let outcome = try job.run(on: SingleProcess(), observer: recorder)
    let errors = recorder.results.map(\.errors)
    #expect(errors.count < 200)
    // The last three were no better than the best before, and at no time before had three been.
    let best = errors.indices.map { errors[...$0].min() ?? 0 }
    let firstBest = try #require(errors.firstIndex(of: best[errors.count - 1]))
    #expect(firstBest == errors.count - 4)
    for end in 3..<errors.count - 1 { #expect(best[end] < best[end - 3] || errors[...end].count < 4) }
    for replicas in 2...3 { #expect(try job.run(replicas: replicas) == outcome) }
  }

  /// Evaluated is what the average says, and training goes on with the weights.
  @Test func theAverageIsEvaluatedAndLeavesTheWeights() throws {
    var job = SmallJob()
    job.settings.evaluation.everyEpochs = 2
    job.settings.optimizer.averageDecay = 0.99
    let rarely = try job.run(on: SingleProcess())
    job.settings.evaluation.everyEpochs = 1
    #expect(try job.run(on: SingleProcess()) == rarely)
    job.settings.optimizer.averageDecay = 0
    let plain = try job.run(on: SingleProcess())
    #expect(plain.weights == rarely.weights)
    #expect(plain.result != rarely.result)
  }

  @Test func aCheckpointOfAnotherOptimizerIsTakenOnlyIfAChangeIsAskedFor() throws {
    var job = SmallJob()
    let network = try job.network()
    func trainer(_ settings: Settings) throws -> Trainer {
      try Trainer(
        network: network, optimizer: settings.makeOptimizer(for: network.parameters),
        training: try job.dataset(.training), test: try job.dataset(.test),
        schedule: settings.schedule(maximumSteps: nil, threads: 1), communicator: SingleProcess())
    }
    let weights = network.parameters.tensorsByValue
    let checkpoint = Checkpoint(
      position: .init(step: 2, stepsPerEpoch: 4), seed: 0, configuration: "", weights: weights,
      states: [.init(name: "first_moment", tensors: weights), .init(name: "second_moment", tensors: weights)])
    try trainer(job.settings).restore(checkpoint, from: "x")
    job.settings.optimizer.name = .sgd
    let other = try trainer(job.settings)
    let failure = #expect(throws: Failure.self) { try other.restore(checkpoint, from: "x") }
    #expect(failure?.code == .badData)
    try other.restore(checkpoint, from: "x", isChanged: true)
    #expect(other.step == 2)
  }
}
