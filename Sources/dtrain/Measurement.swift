import Arguments
import Checkpoints
import Communication
import Failures
import Reporting

/// What the commands share that measure.
enum Measurement {
  /// What rank 0 has to show.
  struct Report {
    let lines: [String]
    let json: JSONValue
  }

  static func seconds(help: String) -> Option<Double> {
    Option(
      "seconds", placeholder: "S", expectation: "a number of seconds above 0, at most 3600", help: help,
      read: { text in Double(text).flatMap { $0 > 0 && $0 <= 3600 ? $0 : nil } })
  }

  /// Measures on each rank, and prints on rank 0 what came of it, in the file too where one is given.
  ///
  /// - Parameter measure: answers nil on the other ranks.
  static func run(
    replicas: Int?, timeoutSeconds: Double, json path: String?,
    _ measure: @escaping @Sendable (any Communicator) throws(Failure) -> Report?
  ) throws(Failure) {
    try Ranks.run(replicas: replicas, timeoutSeconds: timeoutSeconds) { (communicator) throws(Failure) in
      if let path, communicator.rank == 0 { try AtomicFile.probe(for: path) }
      guard let report = try measure(communicator) else { return }
      if let path { try AtomicFile.write(report.json.encoded + "\n", to: path) }
      let output = TextOutput()
      for line in report.lines { output.writeLine(line) }
      try output.finish()
    }
  }
}
