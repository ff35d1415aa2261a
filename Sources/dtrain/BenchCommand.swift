import Arguments
import Benchmarks
import Failures

/// `dtrain bench`.
enum BenchCommand: Subcommand {
  private static let json = Option(
    "json", placeholder: "FILE",
    help: "also write all figures into this file, as one JSON object; its keys stand above")
  private static let rounds = Option("rounds", in: 1...1000, help: "how often everything is measured (default: 5)")
  private static let seconds = Measurement.seconds(
    help:
      "how long training is measured in a round, and inference (default: 1; of allreduce 0.1, each size and kind); all "
      + "of a round takes about 3 times as long")

  private enum Part: String, CaseIterable, Sendable {
    case training
  }

  private static let only = Option<Part>(
    choice: "only", help: "measure training and its stages alone, which takes about half as long")

  static let syntax = CommandSyntax(
    name: "bench", summary: "measure how fast training is here",
    discussion: "Trains and evaluates in rounds, over all ranks, and prints images per second, what each layer and "
      + "each stage of a step takes, and what share of the processor's peak that is, which is measured in the same "
      + "rounds. Nothing is kept of the training. Without the data set (and without dataset.path) it takes drawn "
      + "digits.\n"
      + "With allreduce it measures the sum over the ranks alone, ours beside MPI_Allreduce, over rising sizes.\n"
      + "The keys of the JSON file:\n"
      + BenchmarkReport.keys.map { "\($0.name): \($0.meaning)." }.joined(separator: "\n")
      + "\nThose of allreduce:\n"
      + AllReduceReport.keys.map { "\($0.name): \($0.meaning)." }.joined(separator: "\n"),
    options: [
      json, rounds, seconds, only, AllReduceBench.smallest, AllReduceBench.largest, SettingsArguments.config,
      Ranks.replicas,
    ],
    operands: [Operand(AllReduceBench.operand, .oneOrNone, help: "measure the all-reduce alone, over rising sizes")],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain bench", "one process"),
      Example("mpirun -n 2 dtrain bench --json bench.json", "two ranks together"),
      Example("dtrain bench --rounds 3 --seconds 0.5 training.microbatch=10", "sooner, another size of microbatches"),
      Example(
        "mpirun -n 4 dtrain bench allreduce --largest 1048576 --json allreduce.json",
        "the all-reduce of four ranks, from 4 bytes to 1 MiB, beside MPI_Allreduce"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    if let word = arguments.operands.first {
      guard word == AllReduceBench.operand else {
        throw Failure(
          .usage, "bench does not know '\(word)'", remedy: "write bench allreduce, or bench without it")
      }
      return try AllReduceBench.run(
        arguments, json: arguments[json], rounds: arguments[rounds] ?? 5, seconds: arguments[seconds] ?? 0.1)
    }
    guard arguments[AllReduceBench.smallest] == nil, arguments[AllReduceBench.largest] == nil else {
      throw Failure(
        .usage, "--smallest and --largest are sizes of bench allreduce",
        remedy: "write bench allreduce, or leave them out")
    }
    let (settings, _, _) = try SettingsArguments.load(arguments)
    let benchmark = Benchmark(
      settings: settings, program: "\(Program.name) \(Program.version)", rounds: arguments[rounds] ?? 5,
      secondsPerRound: arguments[seconds] ?? 1, isOfTrainingAlone: arguments[only] == .training)
    try Measurement.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds,
      json: arguments[json]
    ) { (communicator) throws(Failure) in
      try benchmark.run(on: communicator).map { Measurement.Report(lines: $0.lines, json: $0.json) }
    }
  }
}
