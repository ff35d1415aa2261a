import Failures
import Testing

@testable import Simulation

private func plan(_ ranks: [Int], batch: Int, _ change: (inout CostFigures) -> Void = { _ in }) -> SimulationPlan {
  var figures = CostFigures()
  figures.override(.imagesPerSecond, 1000)
  figures.override(.latency, 10)
  figures.override(.bandwidth, 10)
  change(&figures)
  let network = PublishedNetwork.resnet50.workload
  return SimulationPlan(
    ranks: ranks, batch: batch, microbatch: 5, workload: network, measured: network, figures: figures, program: "dtrain"
  )
}

private func failure(_ plan: SimulationPlan) -> Failure? {
  do throws(Failure) {
    _ = try plan.run()
    return nil
  } catch { return error }
}

@Suite struct SimulationReportTests {
  @Test func aThousandRanksAreSimulated() throws {
    var plan = plan([1024], batch: 10)
    plan.isWeak = true
    let row = try #require(try plan.run().rows.first)
    #expect(row.form == .halving && row.batch == 10240 && row.steps == 100 && row.nodes == 1024)
    // 2 · 1023/1024 of 102 MB by 10 Gbit/s take longer than ten images.
    let transfer = 8 * 25_557_032 / 1.25e9
    #expect(row.times.transfer.isNear(transfer, by: 0.02))
    // Ranks that come at different times wait, and their messages get into each other's way.
    plan.figures.override(.spread, 0.02)
    let varying = try #require(try plan.run().rows.first)
    #expect(varying.times.waiting > row.times.waiting + 1e-4)
    #expect(varying.times.transfer > row.times.transfer && varying.times.transfer < 2 * row.times.transfer)
  }

  @Test func efficiencyIsAgainstOneRank() throws {
    let report = try plan([1, 2, 4], batch: 40).run()
    #expect(report.ofOneRank.isNear(1000))
    #expect(report.rows.map(report.speedup)[0].isNear(1))
    for row in report.rows {
      let efficiency = row.imagesPerSecond / 1000 / Double(row.ranks)
      #expect(report.efficiency(row).isNear(efficiency))
    }
  }

  @Test func failuresTakeTheirShareOfATraining() throws {
    var plan = plan([16], batch: 80)
    plan.epochs = 2
    plan.samples = 1000
    let calm = try #require(try plan.run().rows.first)
    #expect(try #require(try plan.run().seconds(calm)).isNear(2000 / calm.imagesPerSecond))
    plan.failures = FailureCosts(nodeLife: 16 * 3600, checkpoint: 20, restart: 60)
    let report = try plan.run()
    let row = try #require(report.rows.first)
    #expect(row.interval?.life == 3600 && row.loss > 0.1 && row.loss < 0.15)
    let seconds = 2000 / (row.imagesPerSecond * (1 - row.loss))
    #expect(try #require(report.seconds(row)).isNear(seconds))
    #expect(report.pictures.map(\.name).contains("loss.svg"))
    #expect(report.lines.contains { $0.contains("checkpoint every") })
  }

  @Test func theEpochsToAnAccuracyAreThoseMeasuredWithTheSameBatch() throws {
    let file = """
      {"accuracy":0.99,"microbatch":5,"training_samples":1000,"runs":[{"ranks":1,"batch":20,"images_per_second":1000,
      "computation_milliseconds":20,"waiting_milliseconds":0,"transfer_milliseconds":0,"update_milliseconds":0,
      "epochs_to_accuracy":3}]}
      """
    var plan = plan([1, 4], batch: 20)
    plan.scale = try ScaleMeasurement(Array(file.utf8), from: "scale.json")
    plan.samples = 1000
    let report = try plan.run()
    for row in report.rows {
      let seconds = 3000 / row.imagesPerSecond
      #expect(try #require(report.seconds(row)).isNear(seconds))
    }
    #expect(report.notes.contains { $0.contains("99.00 %") && $0.contains("scale.json") })
    plan.isWeak = true
    let weak = try plan.run()
    #expect(weak.rows.map { weak.seconds($0) == nil } == [false, true])
    plan.epochs = 1
    #expect(try plan.run().rows.map(\.epochs) == [1, 1])
    plan.epochs = nil
    plan.workload.parameters += 1
    #expect(try plan.run().rows.allSatisfy { $0.epochs == nil })
  }

  @Test func theFilesHaveAFieldForEachFigure() throws {
    let report = try plan([1, 2], batch: 20).run()
    let lines = report.csv.split(separator: "\n")
    #expect(lines.count == 3)
    for line in lines {
      #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == SimulationReport.fields.count)
    }
    #expect(report.json.encoded.contains(#""source":"--images-per-second""#))
    #expect(report.pictures.map(\.name) == ["throughput.svg", "efficiency.svg", "step.svg"])
    #expect(report.pictures.allSatisfy { $0.text.hasSuffix("</svg>\n") })
  }

  @Test func anotherNetworkDoesAsManyOperations() throws {
    var plan = plan([1], batch: 10)
    plan.workload = PublishedNetwork.googlenet.workload
    // Said by an option, the rate is that of the network which is simulated.
    #expect(try plan.run().ofOneRank.isNear(1000))
    plan.figures.set(.imagesPerSecond, 1000, from: "a file")
    plan.figures.rateIsMeasured = true
    let rate = 1000 * 4.09 / 1.5
    #expect(try plan.run().ofOneRank.isNear(rate))
    #expect(try plan.run().notes.contains { $0.contains("as many operations a second as resnet50") })
  }

  @Test func memoryIsWhatWasMeasuredAndTheOtherNetworksVectors() throws {
    var plan = plan([2], batch: 10) { $0.override(.memory, 500) }
    #expect(try #require(try plan.run().rows.first).memory == 500e6)
    plan.workload.parameters += 1_000_000
    // One microbatch a rank: nine vectors.
    #expect(try #require(try plan.run().rows.first).memory == 536e6)
    #expect([1, 2, 3, 4, 8, 9].map(SimulationPlan.vectors) == [9, 10, 11, 11, 12, 13])
  }

  @Test func whatIsMissingIsNamed() {
    #expect(failure(plan([4], batch: 10))?.code == .configuration)
    var plan = plan([4], batch: 40)
    plan.ranksPerNode = 2
    #expect(failure(plan)?.remedy.contains("--node-latency-us") == true)
    plan.ranksPerNode = 1
    plan.figures = CostFigures()
    #expect(failure(plan)?.remedy.contains("--images-per-second") == true)
    plan.figures.override(.imagesPerSecond, 10)
    #expect(failure(plan)?.remedy.contains("--bandwidth-gbit") == true)
    #expect(failure(plan)?.code == .usage)
    plan.ranks = [1]
    #expect(failure(plan) == nil)
  }
}
