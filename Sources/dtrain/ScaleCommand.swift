import Arguments
import Communication
import Failures
import Reporting
import Scaling

/// `dtrain scale`.
enum ScaleCommand: Subcommand {
  private static let ranks = Option<[Int]>(
    "ranks", letter: "n", placeholder: "N,…", expectation: "a list of different numbers from 1 to 1024, such as 1,2,4",
    help: "the numbers of ranks to measure (default: 1,2,4)",
    read: { text in
      let words = text.split(separator: ",", omittingEmptySubsequences: false)
      let numbers = words.compactMap { Int($0) }
      let isGood =
        numbers.count == words.count && Set(numbers).count == numbers.count && numbers.allSatisfy((1...1024).contains)
      return isGood ? numbers : nil
    })
  private static let weak = Flag(
    "weak", help: "the same batch a rank: training.batch times the ranks (otherwise the same batch over all ranks)")
  private static let rounds = Option(
    "rounds", in: 1...1000, help: "how often each number of ranks is measured, in turn with the others (default: 3)")
  private static let seconds = Measurement.seconds(help: "how long training is measured in a round (default: 1)")
  private static let accuracy = Option<Double>(
    "accuracy", placeholder: "SHARE", expectation: "a share above 0 and below 1, such as 0.99",
    help: "also train until a test reaches this share of right answers, or to the end of training.epochs, and tell "
      + "epochs and time: in one run with strong scaling, where the bits are the same at every number of ranks; in a run "
      + "a number of ranks with --weak",
    read: { text in Double(text).flatMap { $0 > 0 && $0 < 1 ? $0 : nil } })
  private static let output = Option(
    "output", letter: "o", placeholder: "DIR",
    help: "where scale.csv, scale.json, the pictures and the training runs go (default: scaling)")
  private static let mpirunOptions = Option(
    "mpirun-options", placeholder: "WORDS",
    help: "further options of mpirun, separated by blanks: --mpirun-options='--hostfile hosts'")

  static let syntax = CommandSyntax(
    name: "scale", summary: "measure how training grows faster with more ranks",
    discussion:
      "Starts 'mpirun -n N dtrain bench' for each number of ranks, round after round, and puts together images "
      + "per second beside the ideal line, efficiency, and where a step's time goes: as a table, as scale.csv and "
      + "scale.json, and as pictures (throughput.svg, efficiency.svg, step.svg, accuracy.svg). Where there are more "
      + "ranks than cores it says so, and what that does to the meaning.\n"
      + "The columns of scale.csv, and of each of the runs in scale.json:\n"
      + ScalingReport.fields.map { "\($0.name): \($0.meaning)." }.joined(separator: "\n"),
    options: [ranks, weak, rounds, seconds, accuracy, output, mpirunOptions, SettingsArguments.config],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain scale --config configs/scaling-strong.yaml", "1, 2 and 4 ranks share a batch of 200"),
      Example("dtrain scale --weak --config configs/scaling-weak.yaml", "each rank has a batch of 50 of its own"),
      Example(
        "dtrain scale --ranks 1,2 --accuracy 0.99 --output scaling/accuracy",
        "also epochs and seconds until 99 % of the test images are right"),
      Example(
        "dtrain scale --ranks 8,16 --mpirun-options='--hostfile hosts'", "on several hosts, whose slots say where"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    try Ranks.requireNoLauncher(for: syntax)
    let (settings, file, _) = try SettingsArguments.load(arguments)
    let folder = arguments[output] ?? "scaling"
    let report = try ScalingRun(
      ScalingPlan(
        kind: arguments[weak] ? .weak : .strong, ranks: arguments[ranks] ?? [1, 2, 4], rounds: arguments[rounds] ?? 3,
        secondsPerRound: arguments[seconds] ?? 1, settings: settings,
        settingsArguments: (file.map { [SettingsArguments.config.spelling, $0] } ?? []) + arguments.overrides,
        accuracy: arguments[accuracy], folder: folder,
        mpirunOptions: (arguments[mpirunOptions] ?? "").split(separator: " ").map(String.init), program: Program.name,
        version: Program.version, path: try ProgramFile.requiredPath())
    ).run()
    let output = TextOutput()
    for line in report.lines { output.writeLine(line) }
    output.writeLine("\nfolder \(folder)")
    try output.finish()
  }
}
