import Benchmarks

/// What was measured at one number of ranks.
public struct ScalingRow: Equatable, Sendable {
  public let ranks: Int
  /// Samples of a step, over all ranks.
  public let batch: Int
  /// Over all ranks, by round.
  public internal(set) var imagesPerSecond = Rounds(.higher)
  /// Milliseconds of a step, by round: whole, and its parts, each the mean over the ranks.
  public internal(set) var step = Rounds(.lower)
  public internal(set) var computation = Rounds(.lower)
  public internal(set) var waiting = Rounds(.lower)
  public internal(set) var transfer = Rounds(.lower)
  public internal(set) var update = Rounds(.lower)
  /// Seconds from the start of a rank's process to the end of its first step, the slowest rank's.
  public internal(set) var firstStep = Rounds(.lower)
  /// Milliseconds in which a word of each rank comes to all.
  public internal(set) var agreement = Rounds(.lower)
  /// Bytes of the rank with the most, without mapped data; not a number where the system does not tell.
  public internal(set) var ownBytes = Double.nan
  /// The epoch, from 1, after which the accuracy asked for was reached; nil where it was not, or was not asked for.
  public internal(set) var epochs: Int?
  /// Seconds of the run that found this out, evaluations included; nil where it was a run of other ranks.
  public internal(set) var measuredSeconds: Double?

  init(ranks: Int, batch: Int) {
    self.ranks = ranks
    self.batch = batch
  }

  mutating func add(_ figures: BenchFigures) {
    func sum(_ names: String...) -> Double { names.reduce(0) { $0 + (figures.stages[$1] ?? 0) } }
    imagesPerSecond = imagesPerSecond.adding(figures.imagesPerSecond)
    step = step.adding(figures.stepMilliseconds)
    computation = computation.adding(sum("computation", "local_additions"))
    waiting = waiting.adding(sum("waiting"))
    transfer = transfer.adding(sum("transfer", "finishing"))
    update = update.adding(sum("update", "preparation"))
    firstStep = firstStep.adding(figures.firstStepSeconds)
    agreement = agreement.adding(figures.agreementMilliseconds)
    ownBytes = figures.ownBytes
  }
}

extension Rounds {
  fileprivate func adding(_ value: Double) -> Rounds { Rounds(better, values + [value]) }
}

/// All that `dtrain scale` has measured.
public struct ScalingReport: Equatable, Sendable {
  public internal(set) var program = ""
  public internal(set) var kind = ScalingPlan.Kind.strong
  public internal(set) var processor = ""
  public internal(set) var hosts = 0
  /// Of this host, which this process may use.
  public internal(set) var cores = 0
  /// Computing threads of a rank.
  public internal(set) var threadsPerRank = 1
  public internal(set) var dataset = ""
  public internal(set) var trainingSamples = 0
  public internal(set) var microbatch = 0
  public internal(set) var rounds = 0
  public internal(set) var secondsPerRound = 0.0
  public internal(set) var accuracy: Double?
  /// One a number of ranks, rising.
  public internal(set) var rows: [ScalingRow] = []

  /// The images a second of one rank, as the least number of ranks shows it.
  var ofOneRank: Double {
    guard let first = rows.first else { return .nan }
    return first.imagesPerSecond.median / Double(first.ranks)
  }

  /// How many times faster than one rank.
  public func speedup(_ row: ScalingRow) -> Double { row.imagesPerSecond.median / ofOneRank }

  /// The share of what so many ranks would do if each did what one does.
  public func efficiency(_ row: ScalingRow) -> Double { speedup(row) / Double(row.ranks) }

  /// How many ranks can compute at the same time; all of them where there are several hosts, whose cores nobody tells.
  func usableRanks(_ row: ScalingRow) -> Int {
    hosts > 1 || cores < 1 ? row.ranks : min(row.ranks, max(1, cores / max(1, threadsPerRank)))
  }

  /// The share of what the cores that there are would do.
  public func efficiencyOfCores(_ row: ScalingRow) -> Double { speedup(row) / Double(usableRanks(row)) }

  /// Whether ranks share cores.
  public func isOversubscribed(_ row: ScalingRow) -> Bool { usableRanks(row) < row.ranks }

  /// Seconds of training for the epochs that the accuracy took, by the median of images per second, without evaluations;
  /// nil where it was not reached.
  public func secondsToAccuracy(_ row: ScalingRow) -> Double? {
    row.epochs.map { Double($0 * trainingSamples) / row.imagesPerSecond.median }
  }

  /// Milliseconds of a step that are none of its parts: what the clock itself costs, above all.
  func rest(_ row: ScalingRow) -> Double {
    max(0, row.step.median - row.computation.median - row.waiting.median - row.transfer.median - row.update.median)
  }
}
