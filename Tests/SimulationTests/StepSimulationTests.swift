import Testing

@testable import Simulation

private func simulation(
  _ model: CostModel, ranks: Int, batch: Int, microbatch: Int = 5, parameters: Int = 12_000,
  stragglers: Stragglers = Stragglers(), seed: UInt64 = 0, ranksPerNode: Int = 1, cores: Int? = nil
) -> StepSimulation {
  StepSimulation(
    model, nodes: NodeLayout(ranks: ranks, ranksPerNode: ranksPerNode, cores: cores), batch: batch,
    microbatch: microbatch, parameters: parameters, stragglers: stragglers, seed: seed)
}

private var plainModel: CostModel {
  var model = CostModel(secondsPerImage: 0.01)
  model.updateSecondsPerParameter = 1e-7
  model.fixedSeconds = 0.002
  return model
}

@Suite struct StepSimulationTests {
  @Test func oneRankTakesItsImagesAndTheUpdate() {
    let times = simulation(plainModel, ranks: 1, batch: 10).run(steps: 7)
    #expect(times.step.isNear(0.1032))
    #expect(times.computation.isNear(0.1) && times.waiting == 0 && times.transfer == 0)
    #expect(times.update.isNear(0.0012) && times.fixed.isNear(0.002))
  }

  @Test func twoRanksAreWorkedOutByHand() {
    var model = plainModel
    model.network = LinkCost(latency: 0.001, gap: 0.0001, bandwidth: 1e6)
    model.additionSecondsPerByte = 1e-7
    let times = simulation(model, ranks: 2, batch: 10).run(steps: 5)
    // 48,000 bytes, half to each: a slice and 64 bytes of statistics, the sum, and the finished slice back.
    let scattering = 0.0241 + 0.000164 + 0.001
    let gathering = 0.0241 + 0.001
    let transfer = scattering + 0.0024 + gathering
    let step = 0.05 + transfer + 0.0012 + 0.002
    #expect(times.transfer.isNear(transfer))
    #expect(times.step.isNear(step))
  }

  @Test func theRankWithMoreMicrobatchesIsWaitedFor() {
    var model = plainModel
    model.network = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    // 15 images in three microbatches: 5 and 10.
    let times = simulation(model, ranks: 2, batch: 15).run(steps: 3)
    #expect(times.computation.isNear(0.075) && times.waiting.isNear(0.025))
    #expect(times.step.isNear(0.1032))
  }

  @Test func ranksThatShareCoresTakeLonger() {
    var model = plainModel
    model.node = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    model.contention = 0.25
    // Two of four ranks compute at once, each slowed by the other.
    let times = simulation(model, ranks: 4, batch: 40, ranksPerNode: 4, cores: 2).run(steps: 2)
    #expect(times.computation.isNear(0.25) && times.update.isNear(0.0024))
  }

  @Test func ranksThatTakeTurnsLoseAShare() {
    var model = plainModel
    model.node = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    func step(cores: Int) -> Double {
      simulation(model, ranks: 4, batch: 40, ranksPerNode: 4, cores: cores).run(steps: 3).step
    }
    let plain = (step(cores: 2), step(cores: 4))
    model.turnShare = 0.25
    // Ten images of each, two ranks on a core.
    let longer = plain.0 + 0.25 * 2 * 10 * model.secondsPerImage
    #expect(step(cores: 2).isNear(longer) && step(cores: 4).isNear(plain.1))
    // 25 images a core, of microbatches that the ranks do not share evenly.
    func uneven(_ model: CostModel) -> Double {
      simulation(model, ranks: 4, batch: 50, microbatch: 10, ranksPerNode: 4, cores: 2).run(steps: 3).step
    }
    var without = model
    without.turnShare = 0
    #expect((uneven(model) - uneven(without)).isNear(0.25 * 25 * model.secondsPerImage))
  }

  @Test func aCoreThatOneLeavesIsThereForTheOthers() {
    let sharing = ProcessorSharing(capacity: 2)
    // Four at first at half speed; the first ends at 2, then three at two thirds, …
    let ends = sharing.ends(starts: [0, 0, 0, 0], work: [1, 2, 3, 4])
    #expect(zip(ends, [2, 3.5, 4.5, 5.5]).allSatisfy { $0.isNear($1) })
    // One comes later: 1 of the 2 units of each is done when it does, at 1.
    let late = sharing.ends(starts: [0, 0, 1], work: [2, 2, 1])
    #expect(late.allSatisfy { $0.isNear(2.5) })
    // No core is idle while there is work for it: all end when the work of all is done, however it is spread.
    for seed in 0..<20 {
      let work = (0..<(3 + seed)).map { 0.5 + Double(($0 * 37 + seed * 11) % 100) / 100 }
      let last = sharing.ends(starts: work.map { _ in 1e6 }, work: work).max() ?? 0
      let total = work.reduce(0, +)
      #expect(last - 1e6 >= total / 2 - 1e-9 && last - 1e6 <= total / 2 + 0.75 + 1e-9)
    }
    #expect(sharing.ends(starts: [0, 0, 0], work: [1, .infinity, .infinity]).map(\.isFinite) == [true, false, false])
    #expect(ProcessorSharing(capacity: 4).ends(starts: [1, 2], work: [5, 6]) == [6, 8])
  }

  @Test func theWaitGrowsAsTheLargestOfNormalNumbers() {
    var model = CostModel(secondsPerImage: 0.01)
    model.network = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    model.spread = 0.05
    for ranks in [2, 8, 64] {
      let times = simulation(model, ranks: ranks, batch: 5 * ranks).run(steps: 2000)
      #expect(times.computation.isNear(0.05, by: 0.01))
      let waiting = 0.0025 * CostFit.largestOfNormals(ranks)
      #expect(times.waiting.isNear(waiting, by: 0.05), "\(ranks) ranks")
    }
    #expect(CostFit.largestOfNormals(2).isNear(1 / Double.pi.squareRoot(), by: 1e-6))
    #expect(CostFit.largestOfNormals(1) == 0)
  }

  @Test func aStragglerHoldsUpAll() {
    var model = CostModel(secondsPerImage: 0.01)
    model.network = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    let always = simulation(model, ranks: 4, batch: 20, stragglers: Stragglers(probability: 1, factor: 3)).run(steps: 2)
    #expect(always.step.isNear(0.15) && always.waiting.isNear(0))
    // With 1 % each, of 64 ranks one at least is slow in 47 % of the steps.
    let some = simulation(model, ranks: 64, batch: 320, stragglers: Stragglers(probability: 0.01, factor: 3))
      .run(steps: 2000)
    #expect(some.step.isNear(0.09744, by: 0.03))
  }

  @Test func theSameSeedDrawsTheSame() {
    var model = plainModel
    model.network = LinkCost(latency: 1e-5, gap: 1e-6, bandwidth: 1e9)
    model.spread = 0.1
    model.stepSpread = 0.02
    func run(_ seed: UInt64) -> StepTimes { simulation(model, ranks: 16, batch: 160, seed: seed).run(steps: 20) }
    #expect(run(1) == run(1))
    #expect(run(1).step != run(2).step)
  }
}
