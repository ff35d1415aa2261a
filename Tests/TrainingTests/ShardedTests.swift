import Communication
import Configuration
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Optimizers
import Synchronization
import Testing

@testable import Training

@Suite struct ShardedTests {
  /// Trains on some replicas, so many of which share memory; all have to end alike.
  private func run(_ job: SmallJob, replicas: Int, ranksPerNode: Int? = nil) throws -> SmallJob.Outcome {
    let outcomes = try InProcessReplicas.run(count: replicas, ranksPerNode: ranksPerNode) {
      (communicator) throws(Failure) in try job.run(on: communicator)
    }
    for outcome in outcomes { #expect(outcome == outcomes[0]) }
    return outcomes[0]
  }

  @Test(arguments: 0..<4) func theBitsAreThoseOfOneProcessWithoutIt(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    var job = SmallJob()
    job.settings.seed = seed
    job.trainingSamples = Int.random(in: 20...45, using: &generator)
    job.settings.training.microbatch = Int.random(in: 1...4, using: &generator)
    job.settings.training.batch = Int.random(in: job.settings.training.microbatch * 4 + 1...20, using: &generator)
    let alone = try job.run(on: SingleProcess())
    job.settings.optimizer.sharded = true
    #expect(try job.run(on: SingleProcess()) == alone)
    for replicas in 1...5 { #expect(try run(job, replicas: replicas) == alone, "\(replicas) replicas of \(job)") }
    // By messages alone, and in two levels.
    for (replicas, ranksPerNode) in [(2, 1), (3, 1), (4, 1), (4, 2)] {
      #expect(try run(job, replicas: replicas, ranksPerNode: ranksPerNode) == alone, "\(ranksPerNode) a node")
    }
  }

  @Test(arguments: [Settings.Optimizer.Name.adam, .sgd])
  func withAllOnTheBitsAreThoseOfOneProcessWithoutIt(optimizer: Settings.Optimizer.Name) throws {
    var job = SmallJob()
    job.turnAllOn(optimizer: optimizer)
    let alone = try job.run(on: SingleProcess())
    job.settings.optimizer.sharded = true
    job.settings.reliability.verifyEvery = 1
    job.settings.reliability.agreeEvery = 1
    job.settings.checkpoint.everySteps = 3
    for threads in [1, 3] {
      job.settings.training.threads = threads
      for replicas in 1...4 { #expect(try run(job, replicas: replicas) == alone) }
      #expect(try run(job, replicas: 4, ranksPerNode: 2) == alone)
    }
  }

  @Test(arguments: 1...5) func theRanksShareTheMemoryOfTheOptimizersState(_ replicas: Int) throws {
    var job = SmallJob()
    job.settings.optimizer.sharded = true
    job.settings.optimizer.averageDecay = 0.9
    let small = job
    let counts = try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
      let counts = Mutex<[Int]>([])
      _ = try small.run(
        on: communicator,
        prepare: { trainer in
          counts.withLock { $0 = trainer.update.states.map(\.count) }
        })
      return counts.withLock { $0 }
    }
    let padded = try job.network().parameters.paddedCount
    for state in 0..<3 {
      let all = counts.map { $0[state] }
      #expect(all.reduce(0, +) == padded)
      #expect(all.allSatisfy { $0 <= (padded / 16 + replicas - 1) / replicas * 16 })
    }
  }

  /// What rank 0 has when a checkpoint may be written, and of the gradient when it is told of an epoch.
  private final class Kept: TrainingObserver {
    var trainer: Trainer?
    private(set) var states: [[Float]] = []
    private(set) var gradients: [[Float]] = []

    func trainingStarts() {}
    func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) {
      guard let trainer, step % 4 == 0 || step % 3 == 0 else { return }
      states += trainer.keptStates.map { copy($0.values, trainer) }
      #expect(trainer.keptStates.map(\.name) == trainer.keptStateNames)
    }
    func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) {
      if let trainer { gradients.append(copy(trainer.trainingStep.gradient, trainer)) }
    }
    private func copy(_ values: UnsafePointer<Float>, _ trainer: Trainer) -> [Float] {
      (0..<trainer.network.parameters.count).map { values[$0] }
    }
  }

  private func kept(_ job: SmallJob, replicas: Int) throws -> [[[Float]]] {
    try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
      let kept = communicator.rank == 0 ? Kept() : nil
      _ = try job.run(on: communicator, observer: kept) { trainer in
        kept?.trainer = trainer
        trainer.keepsGradient = true
      }
      return [kept?.states ?? [], kept?.gradients ?? []]
    }[0]
  }

  @Test func rankZeroHasTheWholeStateAndGradientWhenTheyAreWritten() throws {
    var job = SmallJob()
    job.settings.checkpoint.everySteps = 3
    job.settings.optimizer.averageDecay = 0.9
    let alone = try kept(job, replicas: 1)
    // Steps 3, 4, 6 and 8, three states each; and two epochs.
    #expect(alone.map(\.count) == [12, 2])
    job.settings.optimizer.sharded = true
    for replicas in 2...4 { #expect(try kept(job, replicas: replicas) == alone) }
  }

  @Test(arguments: 2...4) func aLossThatIsNotFiniteIsToldAsWithoutIt(_ replicas: Int) throws {
    var job = SmallJob()
    job.settings.optimizer.learningRate = 1e30
    let plain = #expect(throws: Failure.self) { try job.run(on: SingleProcess()) }
    job.settings.optimizer.sharded = true
    let sharded = job
    let failure = #expect(throws: Failure.self) { try run(sharded, replicas: replicas) }
    #expect(failure == plain)
  }

  @Test(arguments: 2...3) func anotherBitOfOneRanksWeightsIsFoundInItsStep(_ ranks: Int) throws {
    var job = SmallJob()
    job.settings.optimizer.sharded = true
    job.settings.reliability.agreeEvery = 1
    let small = job
    // The first weight is of rank 0's slice.
    for rank in 0..<ranks {
      let failure = #expect(throws: Failure.self) {
        try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
          try small.run(on: communicator, prepare: { $0.bitFlip = BitFlip(.weights, rank: rank, step: 2) })
        }
      }
      #expect(failure?.cause.contains("after step 2 not all ranks have the state") == true)
    }
  }

  @Test func whatNeedsMoreThanASliceIsRefused() throws {
    var job = SmallJob()
    job.settings.optimizer.sharded = true
    let plain = job
    func refusal(_ change: (inout SmallJob) -> Void) throws -> Failure? {
      var job = plain
      change(&job)
      let changed = job
      return #expect(throws: Failure.self) { try changed.run(replicas: 2) }
    }
    let lamb = try refusal { $0.settings.optimizer.name = .lamb }
    #expect(lamb?.code == .configuration && lamb?.remedy.contains("adam or sgd") == true)
    let compressed = try refusal {
      ($0.settings.communication.compression, $0.settings.communication.compressionGroups) = (.int8, 2)
    }
    #expect(compressed?.code == .configuration && compressed?.cause.contains("compressed") == true)
    let made = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2) { (communicator) throws(Failure) in
        let network = try plain.network()
        _ = try Trainer(
          network: network, optimizer: plain.settings.makeOptimizer(for: network.parameters),
          training: try plain.dataset(.training), test: try plain.dataset(.test),
          schedule: plain.settings.schedule(maximumSteps: nil, threads: 1), communicator: communicator)
      }
    }
    #expect(made?.code == .configuration && made?.remedy.contains("makeOptimizer") == true)
  }
}
