import Checkpoints
import Communication
import Configuration
import Failures
import Testing

@testable import Training

@Suite struct CompressionTests {
  private static let forms: [Settings.Communication.Compression] = [.float16, .bfloat16, .int8, .topK]

  /// 37 samples in batches of 10 in microbatches of 2: five, and four in the last batch of an epoch.
  private func job(_ form: Settings.Communication.Compression, groups: Int = 4) -> SmallJob {
    var job = SmallJob()
    job.settings.communication.compression = form
    job.settings.communication.compressionGroups = groups
    return job
  }

  @Test(arguments: forms) func theBitsDoNotDependOnRanksAndThreads(form: Settings.Communication.Compression) throws {
    var job = job(form)
    let alone = try job.run(on: SingleProcess())
    #expect(alone.weights != (try SmallJob().run(on: SingleProcess())).weights)
    for replicas in 1...4 { #expect(try job.run(replicas: replicas) == alone) }
    job.settings.training.threads = 3
    #expect(try job.run(on: SingleProcess()) == alone)
    #expect(try job.run(replicas: 2) == alone)
  }

  @Test(arguments: forms) func anotherNumberOfGroupsGivesOtherBits(form: Settings.Communication.Compression) throws {
    let outcomes = try [1, 2, 4].map { try job(form, groups: $0).run(on: SingleProcess()).weights }
    #expect(Set(outcomes).count == 3)
  }

  @Test func withAllOnTheBitsDoNotDependOnRanks() throws {
    var job = job(.topK)
    job.turnAllOn()
    job.settings.reliability.verifyEvery = 1
    let alone = try job.run(on: SingleProcess())
    for replicas in 2...4 { #expect(try job.run(replicas: replicas) == alone) }
  }

  @Test func moreRanksThanGroupsAndMoreGroupsThanMicrobatchesAreErrors() throws {
    let ranks = #expect(throws: Failure.self) { try job(.int8, groups: 2).run(replicas: 3) }
    #expect(ranks?.code == .configuration)
    #expect(ranks?.cause == "communication.compression_groups is 2, and 3 ranks cannot share 2 groups")
    let groups = #expect(throws: Failure.self) { try job(.int8, groups: 8).run(on: SingleProcess()) }
    #expect(groups?.cause == "communication.compression_groups is 8, and a batch has 5 microbatches")
    // Without compression there are no groups.
    #expect(try job(.none, groups: 2).run(replicas: 3) == SmallJob().run(on: SingleProcess()))
  }

  @Test func aCheckpointWithoutAResidualIsRefusedUnlessAChangeIsAskedFor() throws {
    let job = job(.topK)
    let network = try job.network()
    func trainer() throws -> Trainer {
      try Trainer(
        network: network, optimizer: job.settings.makeOptimizer(for: network.parameters),
        training: try job.dataset(.training), test: try job.dataset(.test),
        schedule: job.settings.schedule(maximumSteps: nil, threads: 1), communicator: SingleProcess())
    }
    let weights = network.parameters.tensorsByValue
    func checkpoint(residuals: Int) -> Checkpoint {
      Checkpoint(
        position: .init(step: 2, stepsPerEpoch: 4), seed: 0, configuration: "", weights: weights,
        states: (["first_moment", "second_moment"] + (0..<residuals).map { "group_\($0)_residual" })
          .map { .init(name: $0, tensors: weights) })
    }
    try trainer().restore(checkpoint(residuals: 4), from: "x")
    let failure = #expect(throws: Failure.self) { try trainer().restore(checkpoint(residuals: 3), from: "x") }
    #expect(
      failure
        == Failure(.badData, "x: the checkpoint has no group_3_residual", remedy: "take the checkpoint before it"))
    try trainer().restore(checkpoint(residuals: 0), from: "x", isChanged: true)
  }
}
