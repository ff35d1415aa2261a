import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Testing

@testable import Training

@Suite struct SameBitsTests {
  @Test(arguments: 0..<6) func replicasEndInTheWeightsOfOneProcess(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    var job = SmallJob()
    job.settings.seed = seed
    job.trainingSamples = Int.random(in: 20...45, using: &generator)
    job.testSamples = Int.random(in: 1...30, using: &generator)
    job.settings.training.microbatch = Int.random(in: 1...4, using: &generator)
    // At least five microbatches a batch; the last batch of an epoch is usually shorter.
    job.settings.training.batch = Int.random(in: job.settings.training.microbatch * 4 + 1...20, using: &generator)
    job.settings.evaluation.microbatch = Int.random(in: 1...7, using: &generator)
    let alone = try job.run(on: SingleProcess())
    for replicas in 1...5 { #expect(try job.run(replicas: replicas) == alone, "\(replicas) replicas of \(job)") }
  }

  @Test func threadsOfARankDoNotShow() throws {
    var job = SmallJob()
    let alone = try job.run(on: SingleProcess())
    for threads in 2...4 {
      job.settings.training.threads = threads
      #expect(try job.run(on: SingleProcess()) == alone)
      #expect(try job.run(replicas: 2) == alone)
    }
  }

  @Test func anotherSeedOrBatchEndsElsewhere() throws {
    var job = SmallJob()
    let first = try job.run(on: SingleProcess())
    job.settings.seed = 1
    let second = try job.run(on: SingleProcess())
    job.settings.training.batch = 9
    let third = try job.run(on: SingleProcess())
    #expect(Set([first.weights, second.weights, third.weights]).count == 3)
  }
}

@Suite struct TrainerTests {
  private func record(_ job: SmallJob) throws -> Recorder {
    let recorder = Recorder()
    _ = try job.run(on: SingleProcess(), observer: recorder)
    return recorder
  }

  @Test func everySampleComesOnceAnEpoch() throws {
    let events = try record(SmallJob()).events
    #expect(
      events == [
        .start, .step(1, epoch: 0, samples: 10), .step(2, epoch: 0, samples: 10), .step(3, epoch: 0, samples: 10),
        .step(4, epoch: 0, samples: 7), .epoch(0, step: 4, isEvaluated: true), .step(5, epoch: 1, samples: 10),
        .step(6, epoch: 1, samples: 10), .step(7, epoch: 1, samples: 10), .step(8, epoch: 1, samples: 7),
        .epoch(1, step: 8, isEvaluated: true),
      ])
  }

  @Test func aRunCanEndWithinAnEpoch() throws {
    var job = SmallJob()
    job.maximumSteps = 6
    #expect(
      try record(job).events.suffix(2) == [.step(6, epoch: 1, samples: 10), .epoch(1, step: 6, isEvaluated: true)])
    job.maximumSteps = 100
    #expect(try record(job).events.last == .epoch(1, step: 8, isEvaluated: true))
  }

  @Test func evaluationsMayBeRareButTheEndIsAlwaysEvaluated() throws {
    var job = SmallJob()
    job.settings.training.epochs = 5
    job.settings.evaluation.everyEpochs = 2
    let evaluated = try record(job).events.compactMap { event in
      if case .epoch(let epoch, step: _, isEvaluated: true) = event { epoch } else { nil }
    }
    #expect(evaluated == [1, 3, 4])
  }

  @Test(arguments: [nil, 1, 3, 4, 6, 8, 9, 20]) func whatARunWillComeToIsKnownBefore(_ maximumSteps: Int?) throws {
    for every in 1...3 {
      var job = SmallJob()
      job.settings.training.epochs = 3
      job.settings.evaluation.everyEpochs = every
      job.maximumSteps = maximumSteps
      let network = try job.network()
      let trainer = try Trainer(
        network: network, optimizer: job.settings.makeOptimizer(for: network.parameters),
        training: try job.dataset(.training), test: try job.dataset(.test),
        schedule: job.settings.schedule(maximumSteps: maximumSteps, threads: 1), communicator: SingleProcess())
      let recorder = Recorder()
      _ = try trainer.run(observer: recorder)
      let samples = recorder.events.map { event in
        if case .step(_, epoch: _, let samples) = event { samples } else { 0 }
      }
      #expect(trainer.totalSteps == recorder.losses.count)
      #expect(trainer.step == trainer.totalSteps)
      #expect(trainer.totalSamples == samples.reduce(0, +))
      #expect(trainer.totalEvaluations == recorder.results.count)
    }
  }

  @Test func trainingLearns() throws {
    var job = SmallJob()
    job.trainingSamples = 600
    job.testSamples = 200
    job.settings.model.dropoutRatio = 0
    job.settings.training.epochs = 6
    job.settings.training.microbatch = 5
    job.settings.optimizer.learningRate = 0.005
    let recorder = try record(job)
    #expect(recorder.losses[0] > 2)
    #expect(recorder.losses.suffix(60).reduce(0, +) / 60 < 0.3)
    #expect(recorder.results[5].accuracy > 0.85)
    #expect(recorder.results[5].loss < recorder.results[0].loss)
  }

  @Test func aLossThatIsNotFiniteStopsEveryRankAtItsStep() throws {
    var job = SmallJob()
    job.settings.optimizer.learningRate = 1e30
    let failure = #expect(throws: Failure.self) { try job.run(on: SingleProcess()) }
    #expect(failure?.code == .failure)
    #expect(failure?.cause.contains("at step 2 (epoch 1)") == true)
    let replicas = job
    let inThreads = #expect(throws: Failure.self) { try replicas.run(replicas: 3) }
    #expect(inThreads == failure)
  }

  @Test func moreRanksThanMicrobatchesAreRefused() throws {
    var job = SmallJob()
    job.settings.training.microbatch = 5
    let failure = #expect(throws: Failure.self) { try job.run(replicas: 3) }
    #expect(failure?.code == .configuration)
    #expect(failure?.remedy.contains("training.microbatch to 4") == true)
  }

  @Test func aFewSamplesAreABatchOfTheirOwn() throws {
    var job = SmallJob()
    job.trainingSamples = 5
    #expect(try record(job).events[1] == .step(1, epoch: 0, samples: 5))
    let failure = #expect(throws: Failure.self) { try job.run(replicas: 4) }
    #expect(failure?.code == .configuration)
  }

  @Test func anObserverCanEndTheRun() throws {
    final class FullDisk: TrainingObserver {
      func trainingStarts() {}
      func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {
        if step == 2 { throw Failure(.inputOutput, "the disk is full", remedy: "make room") }
      }
      func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) {}
    }
    let job = SmallJob()
    let failure = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 3) { (communicator) throws(Failure) in
        _ = try job.run(on: communicator, observer: communicator.rank == 0 ? FullDisk() : nil)
      }
    }
    #expect(failure?.cause == "the disk is full")
  }
}

@Suite struct EvaluationTests {
  @Test(arguments: [1, 7, 100, 101]) func everyNumberOfRanksCountsEverySampleOnce(_ samples: Int) throws {
    var job = SmallJob()
    job.testSamples = samples
    let small = job
    // What the network says of each sample, counted by hand.
    let network = try job.network()
    network.parameters.initialize(seed: 3)
    network.prepareParameters()
    let dataset = try job.dataset(.test)
    let workspace = network.makeWorkspace()
    var correct = 0
    for index in 0..<UInt32(samples) {
      correct += withUnsafePointer(to: index) { sample in
        workspace.evaluate(UnsafeBufferPointer(start: sample, count: 1), read: { dataset.read($0, into: $1) }).correct
      }
    }
    let expected = try InProcessReplicas.run(count: 1) { (communicator) throws(Failure) in
      try small.evaluate(on: communicator)
    }[0]
    #expect(expected.samples == samples)
    #expect(expected.errors == samples - correct)
    #expect(expected.accuracy == Double(correct) / Double(samples))
    for ranks in 2...5 {
      let results = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        try small.evaluate(on: communicator)
      }
      #expect(results.allSatisfy { $0 == expected })
    }
  }
}

extension SmallJob {
  fileprivate func evaluate(on communicator: any Communicator) throws(Failure) -> Evaluation.Result {
    let network = try network()
    network.parameters.initialize(seed: 3)
    network.prepareParameters()
    return try Evaluation(
      network: network, dataset: try dataset(.test), microbatch: 7, communicator: communicator
    ).run()
  }
}
