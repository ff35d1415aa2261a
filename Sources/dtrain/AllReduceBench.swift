import Arguments
import Benchmarks
import Failures

/// `dtrain bench allreduce`.
enum AllReduceBench {
  static let operand = "allreduce"
  static let smallest = Option(
    "smallest", placeholder: "BYTES", in: 4...1 << 30,
    help: "with allreduce: the first size (default: 4); each further one is four times as much")
  static let largest = Option(
    "largest", placeholder: "BYTES", in: 4...1 << 30,
    help: "with allreduce: no size is above this (default: 268435456, 256 MiB); a rank needs five times as much memory")

  static func run(_ arguments: ParsedArguments, json path: String?, rounds: Int, seconds: Double) throws(Failure) {
    let (settings, _, _) = try SettingsArguments.load(arguments)
    let smallest = arguments[smallest] ?? AllReduceComparison.smallestBytes
    let largest = arguments[largest] ?? AllReduceComparison.largestBytes
    guard smallest <= largest else {
      throw Failure(.usage, "--smallest \(smallest) is more than --largest \(largest)", remedy: "lower it")
    }
    guard Ranks.launchedRank != nil || arguments[Ranks.replicas] ?? 1 > 1 else {
      throw Failure(
        .usage, "bench allreduce with one rank, which has nobody to add to",
        remedy: "start several: mpirun -n 2 dtrain bench allreduce")
    }
    let comparison = AllReduceComparison(
      program: "\(Program.name) \(Program.version)", smallest: smallest, largest: largest, rounds: rounds,
      secondsPerRound: seconds, timeoutSeconds: settings.communication.timeoutSeconds)
    try Measurement.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds,
      json: path
    ) { (communicator) throws(Failure) in
      try comparison.run(on: communicator).map { Measurement.Report(lines: $0.lines, json: $0.json) }
    }
  }
}
