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

@Suite struct LocalStepsTests {
  /// 37 samples in batches of 10 in microbatches of 2: five, and four in the last batch of an epoch of four.
  private func job(_ interval: Int, groups: Int = 4) -> SmallJob {
    var job = SmallJob()
    job.settings.communication.localSteps = interval
    job.settings.communication.localGroups = groups
    return job
  }

  @Test(arguments: [2, 3, 7]) func theBitsDoNotDependOnRanksAndThreads(interval: Int) throws {
    var job = job(interval)
    let alone = try job.run(on: SingleProcess())
    for replicas in 1...4 { #expect(try job.run(replicas: replicas) == alone) }
    job.settings.training.threads = 3
    #expect(try job.run(on: SingleProcess()) == alone)
    #expect(try job.run(replicas: 2) == alone)
  }

  @Test(arguments: Settings.Optimizer.Name.allCases)
  func withAllOnTheBitsDoNotDependOnRanks(optimizer: Settings.Optimizer.Name) throws {
    var job = job(2)
    job.turnAllOn(optimizer: optimizer)
    job.settings.reliability.agreeEvery = 1
    let small = job
    let alone = try job.run(on: SingleProcess())
    for replicas in 2...4 { #expect(try job.run(replicas: replicas) == alone) }
    let outcomes = try InProcessReplicas.run(count: 4, ranksPerNode: 2) { (communicator) throws(Failure) in
      try small.run(on: communicator)
    }
    for outcome in outcomes { #expect(outcome == alone) }
  }

  /// 16 groups, and short batches of one or two microbatches: most groups have none then.
  @Test func groupsWithoutAMicrobatchMakeNoStep() throws {
    var job = job(3, groups: 16)
    job.settings.training.batch = 16
    job.settings.training.microbatch = 1
    for samples in [33, 34, 47] {
      job.trainingSamples = samples
      let alone = try job.run(on: SingleProcess())
      for replicas in [2, 3, 5, 8] { #expect(try job.run(replicas: replicas) == alone) }
    }
  }

  @Test func otherStepsOrGroupsAreAnotherTraining() throws {
    var weights = try Set(
      [(2, 1), (2, 2), (2, 4), (3, 2), (4, 2)].map { interval, groups in
        try job(interval, groups: groups).run(on: SingleProcess()).weights
      })
    #expect(weights.count == 5)
    // One group is the whole batch.
    #expect(weights.contains(try SmallJob().run(on: SingleProcess()).weights))
    // An epoch has four steps, and ends with an average in any case.
    weights = try Set([4, 8, 100].map { try job($0).run(on: SingleProcess()).weights })
    #expect(weights.count == 1)
  }

  /// By a program of one's own, which no settings' check has seen.
  @Test func aScheduleThatCannotBeIsRefused() throws {
    let job = SmallJob()
    func refusal(interval: Int, groups: Int, isMade: Bool = false) -> Failure? {
      #expect(throws: Failure.self) {
        let network = try job.network()
        var schedule = job.settings.schedule(maximumSteps: nil, threads: 1)
        schedule.localSteps = LocalSteps(interval: interval, groups: groups)
        let (training, test) = (try job.dataset(.training), try job.dataset(.test))
        if isMade {
          _ = try Trainer(
            network: network, optimizer: job.settings.makeOptimizer(for: network.parameters), training: training,
            test: test, schedule: schedule, communicator: SingleProcess())
        } else {
          _ = try Trainer(
            network: network, makeOptimizer: { job.settings.makeOptimizer(for: network.parameters, count: $0) },
            training: training, test: test, schedule: schedule, communicator: SingleProcess())
        }
      }
    }
    for (interval, groups) in [(0, 4), (1, 2), (2, 3), (2, 0)] {
      let failure = refusal(interval: interval, groups: groups)
      #expect(failure?.code == .configuration && failure?.remedy.contains("power of two") == true)
    }
    let made = refusal(interval: 2, groups: 2, isMade: true)
    #expect(made?.code == .configuration && made?.remedy.contains("makeOptimizer") == true)
  }

  /// Two steps of two groups and their average, from the gradients of single microbatches.
  @Test func itIsItsDefinition() throws {
    var job = job(2, groups: 2)
    job.maximumSteps = 2
    let network = try job.network()
    network.parameters.initialize(seed: job.settings.seed)
    let dataset = try job.dataset(.training)
    let recomputation = try MicrobatchRecomputation(
      network: network, dataset: dataset, order: EpochOrder(sampleCount: 37, seed: 0),
      plan: BatchPlan(sampleCount: 37, batch: 10, microbatch: 2), augmentation: job.settings.augmentationSettings)
    let (count, padded) = (network.parameters.count, network.parameters.paddedCount)
    let start = (0..<padded).map { network.parameters.values[$0] }
    // Five microbatches, halved as the tree halves them: (0 + 1) and (2 + (3 + 4)).
    var ends: [[Float]] = []
    for leaves in [[0, 1], [2, 3, 4]] {
      let optimizer = job.settings.makeOptimizer(for: network.parameters)
      network.parameters.values.update(from: start, count: padded)
      for step in 1...2 {
        network.prepareParameters()
        let gradients = leaves.map { leaf in
          recomputation.compute(leaf, of: StepPosition(step: step, epoch: 0, batch: step - 1))
          return (0..<count).map { recomputation.gradient.floats[$0] }
        }
        let last = gradients.count == 2 ? gradients[1] : zip(gradients[1], gradients[2]).map { $0 + $1 }
        let mean = zip(gradients[0], last).map { ($0 + $1) / Float(2 * leaves.count) }
        optimizer.update(
          step: step, parameters: network.parameters.values,
          gradients: mean + [Float](repeating: 0, count: padded - count), learningRate: 0.001, gradientScale: 1)
      }
      ends.append((0..<count).map { network.parameters.values[$0] })
    }
    let expected = zip(ends[0], ends[1]).map { ($0 + $1) / 2 }
    #expect(ends[0] != ends[1])

    let weights = Mutex<[Float]>([])
    let trained = job
    _ = try InProcessReplicas.run(count: 2) { (communicator) throws(Failure) in
      var network: Network?
      _ = try trained.run(on: communicator, prepare: { network = $0.network })
      let values = network.map { network in (0..<network.parameters.count).map { network.parameters.values[$0] } }
      if communicator.rank == 1 { weights.withLock { $0 = values ?? [] } }
    }
    #expect(weights.withLock { $0 } == expected)
  }

  @Test(arguments: 1...4) func whoIsAskedToStopDoesSoAtTheNextAverage(_ ranks: Int) throws {
    let job = job(3)
    for asked in 0..<ranks {
      let steps = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        let stepped = Mutex(0)
        var trainer: Trainer?
        do throws(Failure) {
          _ = try job.run(on: communicator) { made in
            trainer = made
            if communicator.rank == asked {
              made.isStopRequested = {
                stepped.withLock {
                  $0 += 1
                  return $0 > 1
                }
              }
            }
          }
        } catch {
          guard error.code == .preempted else { throw error }
        }
        return trainer?.step ?? 0
      }
      #expect(steps == Array(repeating: 3, count: ranks))
    }
  }

  @Test func anotherBitOfOneRanksWeightsIsFoundAtTheNextAverage() throws {
    var job = job(2)
    job.settings.reliability.agreeEvery = 1
    let small = job
    let failure = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 3) { (communicator) throws(Failure) in
        try small.run(on: communicator, prepare: { $0.bitFlip = BitFlip(.weights, rank: 1, step: 2, index: 80) })
      }
    }
    #expect(failure?.cause.contains("after step 2 not all ranks have the state") == true)
    #expect(failure?.cause.hasSuffix("first in W2") == true)
  }

  @Test func aLossThatIsNotFiniteEndsAllRanksInItsStep() throws {
    var job = job(4, groups: 2)
    job.settings.optimizer.learningRate = 1e30
    let failure = #expect(throws: Failure.self) { try job.run(on: SingleProcess()) }
    #expect(failure?.code == .failure && failure?.cause.contains("at step 2 (epoch 1)") == true)
    let replicas = job
    let inThreads = #expect(throws: Failure.self) { try replicas.run(replicas: 2) }
    #expect(inThreads == failure)
  }

  @Test func theDigestsOfAStepsGradientsAreTheSameAtAnyNumberOfRanks() throws {
    let job = job(3)
    var all: Set<[String]> = []
    for ranks in 1...4 {
      let records = Mutex<[GradientRecord]>([])
      _ = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        try job.run(on: communicator) { trainer in
          trainer.recordGradients(ofStep: 6) { found in records.withLock { $0 = found } }
        }
      }
      let found = records.withLock { $0 }
      #expect(found.map(\.microbatch) == Array(0..<5))
      all.insert(found.map { $0.digest.hexadecimal })
    }
    #expect(all.count == 1)
  }

  @Test func whatDoesNotGoWithItIsRefused() throws {
    func cause(replicas: Int = 1, _ job: SmallJob, _ change: (inout SmallJob) -> Void = { _ in }) throws -> String {
      var changed = job
      change(&changed)
      let small = changed
      let failure = try #require(throws: Failure.self) { try small.run(replicas: replicas) }
      #expect(failure.code == .configuration)
      return failure.cause
    }
    #expect(
      try cause(replicas: 3, job(2, groups: 2)) == "communication.local_groups is 2, and 3 ranks cannot share 2 groups")
    #expect(try cause(job(2, groups: 8)) == "communication.local_groups is 8, and a batch has 5 microbatches")
    #expect(try cause(job(3)) { $0.settings.checkpoint.everySteps = 4 }.contains("checkpoint.every_steps 4"))
    for steps in [1, 2, 5, 7] {
      #expect(try cause(job(3)) { $0.maximumSteps = steps }.contains("should end after step \(steps)"))
    }
    for steps in [3, 4, 6, 8, 9] {
      var job = job(3)
      job.maximumSteps = steps
      _ = try job.run(on: SingleProcess())
    }
    #expect(try cause(job(2)) { $0.settings.optimizer.sharded = true }.contains("sharded"))
    #expect(try cause(job(2)) { $0.settings.reliability.verifyEvery = 1 }.contains("verified"))
    #expect(try cause(job(2)) { $0.settings.communication.compression = .int8 }.contains("compressed"))
  }
}
