import Arguments
import CStopRequest
import Checkpoints
import Communication
import Failures
import Launching
import Reporting
import Supervision

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `dtrain launch`.
enum LaunchCommand: Subcommand {
  private static let ranks = Option("ranks", letter: "n", in: 1...65_536, help: "start N ranks")
  private static let minimumRanks = Option(
    "min-ranks", in: 1...65_536,
    help: "go on with fewer, down to N, when a host or its slots are gone (default: as many as --ranks)")
  private static let maximumRestarts = Option(
    "max-restarts", in: 0...1_000_000,
    help: "give up after N restarts in a row that brought no new checkpoint (default: 3)")
  private static let pause = seconds(
    "pause",
    help: "wait so long before a restart, and twice as long before each further one without a new checkpoint "
      + "(default: 1)")
  private static let startTimeout = seconds(
    "start-timeout",
    help: "take it for a failure when mpirun has not started all ranks after so long, communication.timeout_seconds "
      + "besides (default: 60)")
  private static let hostfile = Option(
    "hostfile", placeholder: "FILE",
    help: "the hosts to start ranks on, a line 'NAME slots=N' each (default: this one, or what the batch system gives)")
  private static let mpirunOptions = Option(
    "mpirun-options", placeholder: "WORDS",
    help: "further options of mpirun, separated by blanks: --mpirun-options='--mca btl tcp,self'")

  private static func seconds(_ name: String, help: String) -> Option<Double> {
    Option(
      name, placeholder: "SECONDS", expectation: "a number of seconds from 0 to 3600", help: help,
      read: { text in Double(text).flatMap { $0 >= 0 && $0 <= 3600 ? $0 : nil } })
  }

  static let syntax = CommandSyntax(
    name: "launch", summary: "start ranks with mpirun, and again from the newest checkpoint when they fail",
    discussion: "Starts what follows -- on N ranks, watches it, and after a failure starts it again from the newest "
      + "good checkpoint, which ends on the same bits. An error that would repeat (a wrong setting, missing data) is not "
      + "tried again. SIGTERM, SIGINT or SIGUSR1 stop the run in good order: the ranks write their state, and the code "
      + "is 75. A second SIGINT leaves at once. However it ends, its ranks end with it.",
    options: [
      ranks, minimumRanks, maximumRestarts, pause, startTimeout, hostfile, mpirunOptions, TrainCommand.quiet,
      TrainCommand.verbose, TrainCommand.logFormat,
    ],
    operands: [Operand("-- train", .atLeastOne, help: "the training and its arguments, as 'dtrain train' takes them")],
    examples: [
      Example("dtrain launch -n 4 -- train --run-dir runs/first", "four ranks on this host"),
      Example(
        "dtrain launch -n 8 --min-ranks 4 --hostfile hosts -- train --run-dir runs/first --resume auto",
        "goes on with the run on the hosts of a file, and without those that are gone"),
    ],
    exitCodes: TrainCommand.syntax.exitCodes)

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    try Ranks.requireNoLauncher(for: syntax)
    guard dtrain_stop_request_install() == 0 else {
      throw Failure(
        .osError, "the signals that stop a run cannot be caught", remedy: "report this with the system's name")
    }
    let plan = try plan(arguments)
    // What the ranks advise is to start the launch again, not mpirun.
    setenv(StartingCommand.variable, StartingCommand.ofLaunch(), 1)
    try Supervisor(plan, isStopRequested: { dtrain_stop_request_is_set() != 0 }).run()
  }

  private static func plan(_ arguments: ParsedArguments) throws(Failure) -> Supervisor.Plan {
    guard arguments.operands.first == TrainCommand.syntax.name else {
      throw Failure(
        .usage, "launch starts trainings, not '\(arguments.operands[0])'", remedy: "write: launch -n N -- train …")
    }
    // What is wrong with them should not take mpirun to find out.
    func parsed(_ words: [String]) throws(Failure) -> ParsedArguments {
      try ParsedArguments(words, of: TrainCommand.syntax, program: Program.name)
    }
    let given = Array(arguments.operands.dropFirst())
    let words = passedOn(arguments, unlessIn: try parsed(given)) + given
    let training = try parsed(words)
    let resumed = try TrainCommand.resumedRun(training)
    let (settings, file, _) = try TrainCommand.settings(
      training, of: try resumed.flatMap { (folder) throws(Failure) in try RunConfiguration(of: folder) })
    guard training[Ranks.replicas] == nil else {
      throw Failure(.usage, "--replicas under launch, which starts the ranks", remedy: "leave it out")
    }
    guard let ranks = arguments[ranks] else {
      throw Failure(.usage, "launch needs the number of ranks", remedy: "write -n N")
    }
    let minimum = arguments[minimumRanks] ?? ranks
    guard minimum <= ranks else {
      throw Failure(.usage, "--min-ranks \(minimum) is more than the \(ranks) ranks of --ranks", remedy: "lower it")
    }
    let hosts: [HostSlots]?
    if let path = arguments[hostfile] {
      let named = try HostSlots.of(Hostfile(reading: path), cores: PhysicalCores.count)
      let slots = named.reduce(0) { $0 + $1.slots }
      guard slots >= ranks else {
        throw Failure(
          .usage, "\(path) has \(slots) slot\(slots == 1 ? "" : "s"), and \(ranks) ranks are asked for",
          remedy: "ask for fewer with -n, or add hosts or slots")
      }
      hosts = named
    } else {
      hosts = nil
    }
    return Supervisor.Plan(
      ranks: ranks, minimumRanks: minimum, maximumRestarts: arguments[maximumRestarts] ?? 3,
      firstPauseMilliseconds: Int((arguments[pause] ?? 1) * 1000), hosts: hosts,
      mpirunOptions: (arguments[mpirunOptions] ?? "").split(separator: " ").map(String.init),
      command: [try ProgramFile.requiredPath(), TrainCommand.syntax.name]
        + without([TrainCommand.folder, TrainCommand.resume], words),
      resume: training[TrainCommand.resume],
      directory: try RunDirectory.create(at: training[TrainCommand.folder], configurationFile: file),
      timeoutSeconds: settings.communication.timeoutSeconds, startSeconds: arguments[startTimeout] ?? 60,
      program: Program.name, messages: training[TrainCommand.logFormat] ?? .text,
      commandAgain: "\(StartingCommand.ofLaunch()) \(ShellText.command(TrainCommand.wordsToGoOn(training)))")
  }

  /// How the training is to speak may be said to the launch as well; what is said to the training goes first.
  private static func passedOn(_ arguments: ParsedArguments, unlessIn training: ParsedArguments) -> [String] {
    var words = [TrainCommand.quiet, TrainCommand.verbose].filter { arguments[$0] && !training[$0] }.map(\.spelling)
    if let format = arguments[TrainCommand.logFormat], training[TrainCommand.logFormat] == nil {
      words += [TrainCommand.logFormat.spelling, format.rawValue]
    }
    return words
  }

  /// The arguments without these options and their values.
  private static func without(_ options: [Option<String>], _ words: [String]) -> [String] {
    var kept: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if options.contains(where: { $0.spelling == word }) {
        _ = rest.popFirst()
      } else if !options.contains(where: { word.hasPrefix($0.spelling + "=") }) {
        kept.append(word)
      }
    }
    return kept
  }
}
