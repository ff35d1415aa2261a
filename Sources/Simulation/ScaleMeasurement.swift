import Checkpoints
import Failures

/// What the simulation takes from the file `scale.json` of `dtrain scale`.
public struct ScaleMeasurement: Equatable, Sendable {
  /// One number of ranks; seconds and bytes, medians of the rounds.
  public struct Row: Equatable, Sendable {
    public var ranks = 0
    public var batch = 0
    public var imagesPerSecond = Double.nan
    var computation = Double.nan
    var waiting = Double.nan
    var transfer = Double.nan
    var update = Double.nan
    var ownBytes = Double.nan
    var epochs: Double?
    /// Of a step, by round.
    var steps: [Double] = []

    /// Of a step what is none of its parts; may be below 0 by chance.
    var rest: Double { Double(batch) / imagesPerSecond - computation - waiting - transfer - update }
  }

  public var name = ""
  public var hosts = 1
  /// Of a host.
  public var cores = 1
  public var threadsPerRank = 1
  public var trainingSamples = 0
  public var microbatch = 1
  /// A test accuracy to which trainings were measured too.
  public var accuracy: Double?
  public var rows: [Row] = []

  private static let largest = 1 << 24

  /// - Throws: as `SmallFile.read` does; `.badData` where it is no such file.
  public static func read(_ path: String) throws(Failure) -> ScaleMeasurement {
    try ScaleMeasurement(SmallFile.read(path, upTo: largest), from: path)
  }

  init() {}

  init(_ json: [UInt8], from path: String) throws(Failure) {
    name = path
    do throws(JSONProblem) {
      var scanner = JSONScanner(json)
      try scanner.object { (name, scanner) throws(JSONProblem) in try take(name, &scanner) }
      try scanner.end()
      let isWhole = rows.allSatisfy {
        $0.ranks > 0 && $0.batch >= $0.ranks && $0.imagesPerSecond > 0 && $0.computation > 0 && $0.rest.isFinite
      }
      guard isWhole, !rows.isEmpty, microbatch > 0, hosts > 0, cores > 0 else {
        throw JSONProblem(reason: "it tells no steps of training", offset: nil)
      }
    } catch {
      throw error.failure(path, remedy: "give the scale.json of dtrain scale, written by this version")
    }
  }

  private mutating func take(_ name: String, _ scanner: inout JSONScanner) throws(JSONProblem) {
    switch name {
    case "hosts": hosts = try scanner.unsignedInteger()
    case "cores": cores = try scanner.unsignedInteger()
    case "threads_per_rank": threadsPerRank = max(1, try scanner.unsignedInteger())
    case "training_samples": trainingSamples = try scanner.unsignedInteger()
    case "accuracy":
      let told = try scanner.number()
      accuracy = told.isFinite ? told : nil
    case "microbatch": microbatch = try scanner.unsignedInteger()
    case "runs":
      try scanner.array { (scanner) throws(JSONProblem) in
        var row = Row()
        try scanner.object { (name, scanner) throws(JSONProblem) in try Self.take(name, &scanner, into: &row) }
        rows.append(row)
      }
    default: try scanner.skipValue()
    }
  }

  private static func take(
    _ name: String, _ scanner: inout JSONScanner, into row: inout Row
  ) throws(JSONProblem) {
    switch name {
    case "ranks": row.ranks = try scanner.unsignedInteger()
    case "batch": row.batch = try scanner.unsignedInteger()
    case "images_per_second": row.imagesPerSecond = try scanner.number()
    case "computation_milliseconds": row.computation = try scanner.number() * 1e-3
    case "waiting_milliseconds": row.waiting = try scanner.number() * 1e-3
    case "transfer_milliseconds": row.transfer = try scanner.number() * 1e-3
    case "update_milliseconds": row.update = try scanner.number() * 1e-3
    case "own_bytes": row.ownBytes = try scanner.number()
    case "epochs_to_accuracy":
      let epochs = try scanner.number()
      row.epochs = epochs > 0 ? epochs : nil
    case "step_milliseconds_rounds":
      try scanner.array { (scanner) throws(JSONProblem) in row.steps.append(try scanner.number() * 1e-3) }
    default: try scanner.skipValue()
    }
  }

  /// Where the ranks of a row were.
  func nodes(_ row: Row) -> NodeLayout {
    NodeLayout(
      ranks: row.ranks, ranksPerNode: (row.ranks + hosts - 1) / hosts, cores: cores, threadsPerRank: threadsPerRank)
  }
}

extension JSONProblem {
  func failure(_ path: String, remedy: String) -> Failure {
    Failure(.badData, "\(path)\(offset.map { ": byte \($0)" } ?? ""): \(reason)", remedy: remedy)
  }
}
