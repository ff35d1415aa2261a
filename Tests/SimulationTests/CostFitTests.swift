import DataParallel
import Failures
import Testing

@testable import Simulation

private let network = Workload(name: "small", parameters: 16_384, operations: 1e6, source: "a test")

private var model: CostModel {
  var model = CostModel(secondsPerImage: 0.002)
  model.contention = 0.05
  model.updateSecondsPerParameter = 2e-8
  model.fixedSeconds = 0.0003
  model.additionSecondsPerByte = 2e-10
  model.node = LinkCost(latency: 3e-6, gap: 8e-7, bandwidth: 2e9)
  return model
}

/// The file that `dtrain scale` would write of what the model says, on one node of four cores.
private func scaleFile(_ model: CostModel, _ ranks: [Int]) -> String {
  let runs = ranks.map { count in
    let times = StepSimulation(
      model, nodes: NodeLayout(ranks: count, ranksPerNode: count, cores: 4), batch: 80, microbatch: 5,
      parameters: network.parameters, stragglers: Stragglers(), seed: 0
    ).run(steps: model.spread > 0 ? 3000 : 3)
    let milliseconds = [times.computation, times.waiting, times.transfer, times.update].map { $0 * 1e3 }
    return """
      {"ranks":\(count),"batch":80,"images_per_second":\(80 / times.step),"images_per_second_best":9,
      "step_milliseconds":\(times.step * 1e3),"computation_milliseconds":\(milliseconds[0]),
      "waiting_milliseconds":\(milliseconds[1]),"transfer_milliseconds":\(milliseconds[2]),
      "update_milliseconds":\(milliseconds[3]),"own_bytes":\(30_000_000 + 150_000 * count),
      "epochs_to_accuracy":null,"step_milliseconds_rounds":[99,100,101]}
      """
  }
  return """
    {"program":"dtrain","kind":"strong","hosts":1,"cores":4,"threads_per_rank":1,"training_samples":6000,
    "microbatch":5,"accuracy":null,"notes":["a note"],"runs":[\(runs.joined(separator: ","))]}
    """
}

/// The file that `dtrain bench allreduce` would write of a link.
private func allReduceFile(_ model: CostModel, ranks: Int, isOfOneNode: Bool) -> String {
  let sizes = [64, 256, 1024, 4096, 16_384, 65_536, 262_144].map { bytes in
    let schedule = ExchangeSchedule(
      tree: GradientTree(leaves: ranks, ranks: ranks), parameterCount: bytes / 4,
      ranksPerNode: isOfOneNode ? ranks : 1)
    var simulation = ExchangeSimulation(
      schedule, nodes: NodeLayout(ranks: ranks, ranksPerNode: isOfOneNode ? ranks : 1), model: model)
    let end = simulation.run(Array(repeating: 0, count: ranks)).map(\.time).max() ?? 0
    return #"{"bytes":\#(bytes),"ordered_microseconds":1,"ordered_microseconds_median":\#(end * 1e6),"ratio":null}"#
  }
  let hosts = (0..<ranks).map { isOfOneNode ? "\"a\"" : "\"h\($0)\"" }
  return #"{"ranks":\#(ranks),"hosts":[\#(hosts.joined(separator: ","))],"sizes":[\#(sizes.joined(separator: ","))]}"#
}

private func fit(
  _ scale: String?, _ allReduces: [String] = [], fittedRanks: Set<Int>? = nil
) throws -> CostFigures {
  CostFit(
    scale: try scale.map { try ScaleMeasurement(Array($0.utf8), from: "scale.json") }, fittedRanks: fittedRanks,
    allReduces: try allReduces.map { try AllReduceMeasurement(Array($0.utf8), from: "all.json") }, measured: network,
    gradientBytes: 4 * network.parameters
  ).figures
}

@Suite struct CostFitTests {
  @Test func theFiguresThatTheFilesWereMadeOfAreFound() throws {
    let files = [2, 4].map { allReduceFile(model, ranks: $0, isOfOneNode: true) }
    let figures = try fit(scaleFile(model, [1, 2, 4]), files)
    func expect(_ figure: CostFigure, _ value: Double, by share: Double = 1e-5) throws {
      let found = try #require(figures.value(figure))
      #expect(found.isNear(value, by: share), "\(figure.rawValue): \(found)")
    }
    try expect(.imagesPerSecond, 500)
    try expect(.contention, 0.05)
    try expect(.update, 2e-8)
    try expect(.fixed, 0.0003)
    try expect(.nodeLatency, 3e-6)
    try expect(.nodeGap, 8e-7)
    try expect(.nodeBandwidth, 2e9)
    try expect(.addition, 2e-10)
    try expect(.memory, 30e6)
    try expect(.stepSpread, 0.01)
    #expect(figures.bytesPerRank.isNear(150_000, by: 1e-5))
    #expect(figures.value(.latency) == nil && figures.rateIsMeasured)
    let entry = try #require(figures.entries[.imagesPerSecond])
    #expect(entry.source == "scale.json, 1, 2, 4 ranks: computation_milliseconds")
    #expect(try #require(entry.residual) < 1e-6)
  }

  @Test func aLinkBetweenNodesIsToldFromOneWithin() throws {
    var between = model
    between.network = LinkCost(latency: 4e-5, gap: 2e-6, bandwidth: 2.5e7)
    let figures = try fit(
      nil,
      [2, 4].map { allReduceFile(model, ranks: $0, isOfOneNode: true) }
        + [2, 4].map { allReduceFile(between, ranks: $0, isOfOneNode: false) })
    #expect(try #require(figures.value(.nodeBandwidth)).isNear(2e9, by: 1e-5))
    #expect(try #require(figures.value(.bandwidth)).isNear(2.5e7, by: 1e-5))
    #expect(try #require(figures.value(.latency)).isNear(4e-5, by: 1e-4))
    #expect(try #require(figures.entries[.bandwidth]?.value).isNear(0.2, by: 1e-5))
  }

  @Test func theSpreadIsFoundInTheWaiting() throws {
    var varying = model
    varying.spread = 0.03
    let found = try #require(try fit(scaleFile(varying, [2, 4])).value(.spread))
    #expect(found.isNear(0.03, by: 0.05))
    #expect(try #require(try fit(scaleFile(model, [2, 4])).value(.spread)) < 1e-6)
  }

  @Test func whatWasNotFittedIsPredicted() throws {
    // Fitted on one rank and two; eight ranks share four cores, and lose what they usually do.
    var turning = model
    turning.turnShare = 0.3
    let text = scaleFile(turning, [1, 2, 4, 8])
    let files = [allReduceFile(model, ranks: 2, isOfOneNode: true)]
    let figures = try fit(text, files, fittedRanks: [1, 2])
    var plan = SimulationPlan(
      ranks: [1, 2, 4, 8], batch: 80, microbatch: 5, workload: network, measured: network, figures: figures,
      program: "dtrain")
    plan.ranksPerNode = 8
    plan.cores = 4
    plan.scale = try ScaleMeasurement(Array(text.utf8), from: "scale.json")
    plan.fittedRanks = [1, 2]
    let report = try plan.run()
    #expect(report.rows.map(\.isFitted) == [true, true, false, false])
    for row in report.rows { #expect(try #require(row.error).magnitude < 0.01, "\(row.ranks) ranks") }
    #expect(report.lines.contains { $0.contains("held out") })
  }

  @Test func whatTurnsCostIsFoundWhereTheyWereMeasured() throws {
    for turn in [0.1, 0.5] {
      var turning = model
      turning.turnShare = turn
      let figures = try fit(scaleFile(turning, [1, 2, 4, 8]), [allReduceFile(model, ranks: 2, isOfOneNode: true)])
      // The exchange of so few bytes is in it.
      #expect(try #require(figures.value(.turn)).isNear(turn, by: 0.2))
      #expect(figures.entries[.turn]?.source == "scale.json, 8 ranks: batch by images_per_second")
    }
    #expect(try #require(try fit(scaleFile(model, [1, 2, 4])).entries[.turn]).source.contains("Linux"))
  }

  @Test func anOptionWinsOverAFile() throws {
    var figures = try fit(scaleFile(model, [1, 2]))
    figures.override(.imagesPerSecond, 100)
    figures.override(.bandwidth, 0.2)
    #expect(figures.value(.imagesPerSecond) == 100 && !figures.rateIsMeasured)
    #expect(figures.value(.bandwidth) == 25e6)
    #expect(figures.entries[.bandwidth]?.source == "--bandwidth-gbit")
  }

  @Test func badFilesAreRefusedWithTheirName() throws {
    func failure(_ text: String, isOfScale: Bool) -> Failure? {
      do throws(Failure) {
        if isOfScale {
          _ = try ScaleMeasurement(Array(text.utf8), from: "f.json")
        } else {
          _ = try AllReduceMeasurement(Array(text.utf8), from: "f.json")
        }
        return nil
      } catch { return error }
    }
    let texts = [
      "", "[]", "{", "{}", #"{"runs":[]}"#, #"{"runs":[{"ranks":0}]}"#, #"{"runs":[{"ranks":2,"batch":"x"}]}"#,
      #"{"ranks":2,"hosts":["a"],"sizes":[{"bytes":4,"ordered_microseconds_median":1}]}"#,
      #"{"ranks":2,"hosts":["a","a"],"sizes":[{"bytes":4,"ordered_microseconds_median":null}]}"#,
      #"{"ranks":3,"hosts":["a","a","b"],"sizes":[{"bytes":4,"ordered_microseconds_median":1}]}"#,
    ]
    for text in texts {
      for isOfScale in [true, false] {
        let failure = failure(text, isOfScale: isOfScale)
        #expect(failure?.code == .badData && failure?.cause.hasPrefix("f.json") == true, "\(text)")
        #expect(failure?.remedy.isEmpty == false)
      }
    }
  }
}
