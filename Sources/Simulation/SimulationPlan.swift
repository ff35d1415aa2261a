import DataParallel
import Failures

/// What is to be simulated.
public struct SimulationPlan: Sendable {
  public var ranks: [Int]
  /// Whether the batch is a rank's; otherwise it is that of all ranks together.
  public var isWeak = false
  public var batch: Int
  public var microbatch: Int
  public var workload: Workload
  /// The network that the figures are of.
  public var measured: Workload
  public var figures: CostFigures
  public var ranksPerNode = 1
  /// Of a node; nil: a core for each thread.
  public var cores: Int?
  public var threadsPerRank = 1
  public var steps = 100
  public var seed: UInt64 = 0
  public var stragglers = Stragglers()
  /// Nil: no node fails.
  public var failures: FailureCosts?
  /// Of a training; nil: as many as `scale` took to its accuracy with the same batch, if it tells.
  public var epochs: Double?
  /// Of an epoch.
  public var samples: Int?
  /// What was measured, to stand beside what is predicted.
  public var scale: ScaleMeasurement?
  /// The numbers of ranks of it that the figures come from; nil: all.
  public var fittedRanks: Set<Int>?
  public var program: String

  /// So many messages are simulated at one number of ranks, and no more steps than that makes.
  static let mostMessages = 20_000_000
  static let fewestSteps = 3

  public init(
    ranks: [Int], batch: Int, microbatch: Int, workload: Workload, measured: Workload, figures: CostFigures,
    program: String
  ) {
    self.ranks = ranks
    self.batch = batch
    self.microbatch = microbatch
    self.workload = workload
    self.measured = measured
    self.figures = figures
    self.program = program
  }

  /// Samples of a step, over all ranks.
  public func batch(ranks: Int) -> Int { isWeak ? batch * ranks : batch }

  private func nodes(_ ranks: Int) -> NodeLayout {
    NodeLayout(ranks: ranks, ranksPerNode: ranksPerNode, cores: cores, threadsPerRank: threadsPerRank)
  }

  /// Simulates each number of ranks.
  ///
  /// - Throws: `.configuration` where some ranks would have no microbatch; `.usage` where a figure is missing.
  public func run() throws(Failure) -> SimulationReport {
    let model = try CostModel(figures, for: workload, measured: measured)
    for count in ranks {
      try GradientTree.check(batch: batch(ranks: count), microbatch: microbatch, ranks: count)
      try model.require(nodes(count))
    }
    var report = SimulationReport(plan: self, ofOneRank: Double(batch) / simulate(model, ranks: 1).times.step)
    report.rows = ranks.sorted().map { row(model, ranks: $0) }
    return report
  }

  private func simulate(_ model: CostModel, ranks: Int) -> (times: StepTimes, form: ExchangeForm, steps: Int) {
    let simulation = StepSimulation(
      model, nodes: nodes(ranks), batch: batch(ranks: ranks), microbatch: microbatch,
      parameters: workload.parameters, stragglers: stragglers, seed: seed)
    let affordable = Self.mostMessages / max(1, simulation.messages)
    let steps = min(steps, max(Self.fewestSteps, affordable))
    return (simulation.run(steps: steps), simulation.form, steps)
  }

  private func row(_ model: CostModel, ranks: Int) -> SimulatedRow {
    let (times, form, steps) = simulate(model, ranks: ranks)
    let nodes = nodes(ranks)
    var row = SimulatedRow(
      ranks: ranks, nodes: nodes.count, batch: batch(ranks: ranks), form: ranks > 1 ? form : nil, steps: steps,
      times: times)
    row.memory = memory(ranks: ranks)
    row.measured = scale?.rows.first { $0.ranks == ranks && $0.batch == row.batch }?.imagesPerSecond
    row.epochs = epochs ?? epochsToAccuracy(batch: row.batch)
    row.isFitted = row.measured != nil && (fittedRanks?.contains(ranks) ?? true)
    if let failures {
      row.interval = CheckpointInterval(failures, nodes: nodes.count, seed: seed)
    }
    return row
  }

  /// What was measured of the same network: the bits of a training, and so its epochs, are the same at any number of ranks.
  private func epochsToAccuracy(batch: Int) -> Double? {
    guard workload == measured else { return nil }
    return scale?.rows.first { $0.batch == batch && $0.epochs != nil }?.epochs
  }

  /// Bytes of a rank: what was measured, and what another network's vectors take instead.
  private func memory(ranks: Int) -> Double {
    let leaves = (batch(ranks: ranks) + microbatch - 1) / microbatch
    let ofVectors = 4 * Double(Self.vectors(leavesOfRank: (leaves + ranks - 1) / ranks))
    guard let base = figures.value(.memory) else { return ofVectors * Double(workload.parameters) }
    return base + figures.bytesPerRank * Double(ranks)
      + max(-base, ofVectors * Double(workload.parameters - measured.parameters))
  }

  /// How many vectors as long as the gradient a rank holds, about: the parameters, their form in the kernels (three), two
  /// moments, the mean gradient, what other ranks send, and of the tree one for each level of its own and one more.
  static func vectors(leavesOfRank leaves: Int) -> Int {
    8 + 1 + (leaves > 1 ? Int.bitWidth - (leaves - 1).leadingZeroBitCount : 0)
  }
}
