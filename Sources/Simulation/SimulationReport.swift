import DataParallel

/// What is predicted for one number of ranks.
public struct SimulatedRow: Equatable, Sendable {
  public let ranks: Int
  public let nodes: Int
  /// Samples of a step, over all ranks.
  public let batch: Int
  /// How the ranks exchange their gradients; nil where there is one.
  public let form: ExchangeForm?
  /// That were simulated.
  public let steps: Int
  public let times: StepTimes
  /// Bytes of a rank.
  public internal(set) var memory = Double.nan
  /// Images a second of the same ranks and batch, where they were measured.
  public internal(set) var measured: Double?
  /// Whether the figures come from that measurement too, which then proves little.
  public internal(set) var isFitted = false
  /// Of the training whose time is told; nil where none is.
  public internal(set) var epochs: Double?
  /// Nil where no node fails.
  public internal(set) var interval: CheckpointInterval?

  init(ranks: Int, nodes: Int, batch: Int, form: ExchangeForm?, steps: Int, times: StepTimes) {
    self.ranks = ranks
    self.nodes = nodes
    self.batch = batch
    self.form = form
    self.steps = steps
    self.times = times
  }

  /// While no node fails.
  public var imagesPerSecond: Double { Double(batch) / times.step }
  /// The share of the time that failures take, at the recommended interval; 0 where no node fails.
  public var loss: Double { interval.map { min(1, max(0, $0.expectedLoss($0.daly))) } ?? 0 }
  /// By how much the prediction is above what was measured, as a share of it.
  public var error: Double? { measured.map { imagesPerSecond / $0 - 1 } }
}

/// All that `dtrain simulate` predicts.
public struct SimulationReport: Sendable {
  public let plan: SimulationPlan
  /// Images a second of one rank.
  public let ofOneRank: Double
  /// One a number of ranks, rising.
  public internal(set) var rows: [SimulatedRow] = []

  init(plan: SimulationPlan, ofOneRank: Double) {
    self.plan = plan
    self.ofOneRank = ofOneRank
  }

  public func speedup(_ row: SimulatedRow) -> Double { row.imagesPerSecond / ofOneRank }

  public func efficiency(_ row: SimulatedRow) -> Double { speedup(row) / Double(row.ranks) }

  /// Seconds of the row's epochs, with failures; nil where it has none.
  public func seconds(_ row: SimulatedRow) -> Double? {
    guard let epochs = row.epochs, let samples = plan.samples else { return nil }
    return epochs * Double(samples) / (row.imagesPerSecond * (1 - row.loss))
  }
}
