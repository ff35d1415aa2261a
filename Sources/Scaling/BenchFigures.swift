import Checkpoints
import Failures

/// What `dtrain scale` takes from the file of `dtrain bench --json`: one round of a job.
struct BenchFigures: Equatable, Sendable {
  var processor = ""
  var hosts: Set<String> = []
  var dataset = ""
  var trainingSamples = 0
  var threads = 0
  var imagesPerSecond = Double.nan
  /// Milliseconds of a step, by the names of `stages`.
  var stages: [String: Double] = [:]
  var stepMilliseconds = Double.nan
  var ownBytes = Double.nan
  var firstStepSeconds = Double.nan
  var agreementMilliseconds = Double.nan

  private static let largest = 1 << 24

  /// - Throws: as `SmallFile.read` does; `.badData` where it is no such file.
  static func read(_ path: String) throws(Failure) -> BenchFigures {
    try BenchFigures(SmallFile.read(path, upTo: largest), from: path)
  }

  init() {}

  init(_ json: [UInt8], from path: String) throws(Failure) {
    do throws(JSONProblem) {
      var scanner = JSONScanner(json)
      try scanner.object { (name, scanner) throws(JSONProblem) in try take(name, &scanner) }
      try scanner.end()
      guard imagesPerSecond > 0, trainingSamples > 0, stepMilliseconds > 0 else {
        throw JSONProblem(reason: "it tells no images per second", offset: nil)
      }
    } catch {
      throw Failure(
        .badData, "\(path)\(error.offset.map { ": byte \($0)" } ?? ""): \(error.reason)",
        remedy: "see whether the program was built anew meanwhile, and start again")
    }
  }

  private mutating func take(_ name: String, _ scanner: inout JSONScanner) throws(JSONProblem) {
    switch name {
    case "processor": processor = try scanner.string()
    case "dataset": dataset = try scanner.string()
    case "training_samples": trainingSamples = try scanner.unsignedInteger()
    case "threads": threads = try scanner.unsignedInteger()
    case "hosts": try scanner.array { (scanner) throws(JSONProblem) in hosts.insert(try scanner.string()) }
    case "training_images_per_second": imagesPerSecond = try scanner.number()
    case "step_milliseconds": stepMilliseconds = try scanner.number()
    case "agreement_milliseconds": agreementMilliseconds = try scanner.number()
    case "first_step_seconds": firstStepSeconds = try scanner.number()
    case "stages":
      try scanner.object { (name, scanner) throws(JSONProblem) in
        if name.hasSuffix("_milliseconds") {
          stages[String(name.dropLast("_milliseconds".count))] = try scanner.number()
        } else {
          try scanner.skipValue()
        }
      }
    case "memory":
      // Null where the system does not tell.
      let start = scanner
      do throws(JSONProblem) {
        try scanner.object { (name, scanner) throws(JSONProblem) in
          if name == "own_bytes" { ownBytes = try scanner.number() } else { try scanner.skipValue() }
        }
      } catch {
        scanner = start
        try scanner.skipValue()
      }
    default: try scanner.skipValue()
    }
  }
}
