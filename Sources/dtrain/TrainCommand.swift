import Arguments
import CStopRequest
import Checkpoints
import Communication
import Configuration
import Failures
import Reporting
import Timeline
import Training

/// `dtrain train`.
enum TrainCommand: Subcommand {
  static let folder = Option(
    "run-dir", placeholder: "DIR",
    help: "where the weights, the metrics and the settings of the run go (default: a new folder in runs)")
  private static let maximumSteps = Option(
    "max-steps", in: 1...Int.max, help: "stop after N steps, in the middle of an epoch too")
  static let resume = Option(
    "resume", placeholder: "auto|FILE",
    help: "go on from a checkpoint's FILE, or with auto from the newest good one of --run-dir, at any number of ranks, "
      + "to the same bits; auto begins where there is none")
  private static let allowChanges = Flag(
    "allow-changes", help: "with --resume: go on though settings that enter the arithmetic have changed")
  static let progress = Option<ProgressMode>(
    choice: "progress",
    help: "how to say how far the run is: one line that is rewritten, a plain line every few seconds, or not at all; "
      + "auto chooses line on a terminal and plain elsewhere")
  static let quiet = Flag(
    "quiet", letter: "q", help: "print the results alone: test accuracy and weights digest")
  static let verbose = Flag(
    "verbose", letter: "v", help: "also say how the work is shared among the ranks, and what every step comes to")
  static let logFormat = Option<MessageFormat>(
    choice: "log-format",
    help: "how all that is said is written, on standard output and standard error: as text, or a JSON object a line "
      + "with time, level, rank and message")
  private static let trace = Option(
    "trace", placeholder: "FILE",
    help: "write a timeline of all ranks, which ui.perfetto.dev opens: the last \(TimelineRecorder.largestCapacity) "
      + "changes of each thread, some 150 steps")
  private static let recordedStep = Option(
    "record-gradients", placeholder: "STEP", in: 1...Int.max,
    help: "write the SHA-256 of each microbatch's gradient of this step into the run's folder, to compare with replay")
  private static let logFolder = Option(
    "log-dir", placeholder: "DIR", help: "write a log of each rank, with times, into this folder: rank-0000.log, …")

  static let syntax = CommandSyntax(
    name: "train", summary: "train a network",
    discussion: "Trains with as many ranks as the launcher has started (mpirun, srun), or alone without one. The "
      + "weights are the same to the last bit at any number of ranks. A run that goes on begins with the settings in "
      + "its folder's configuration.yaml, unless --config names another file; key=value wins over both.",
    options: [
      SettingsArguments.config, folder, maximumSteps, resume, allowChanges, Ranks.replicas, progress, quiet, verbose,
      logFormat, trace, recordedStep, logFolder, DebuggerWait.rank,
    ],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain train", "DeepConvNet on MNIST, as \(DefaultConfiguration.name) says"),
      Example("mpirun -n 4 dtrain train --max-steps 60", "60 steps with four ranks"),
      Example("mpirun -n 2 dtrain train --max-steps 100 --trace trace.json", "with a timeline of both ranks"),
      Example("dtrain train seed=1 training.epochs=2 training.batch=200 training.microbatch=25", "other settings"),
      Example("dtrain train --replicas 3 dataset.name=synthetic-digits", "three ranks in one process, no file needed"),
      Example("mpirun -n 3 dtrain train --run-dir runs/first --resume auto", "goes on with a run that was stopped"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .preempted, .configuration,
    ])

  static var autoWithoutFolder: Failure {
    Failure(.usage, "--resume auto goes on with the run of a folder, and none is given", remedy: "add --run-dir DIR")
  }

  /// The folder of the run that goes on; nil for one that begins, and for a checkpoint that lies in no run's folder.
  static func resumedRun(_ arguments: ParsedArguments) throws(Failure) -> RunDirectory? {
    guard let origin = arguments[resume] else { return nil }
    guard origin == "auto" else { return RunDirectory(ofCheckpoint: origin) }
    guard let path = arguments[folder] else { throw autoWithoutFolder }
    return RunDirectory(path: path)
  }

  /// What `SettingsArguments.load` gives, but from the settings of the run that goes on, if any.
  static func settings(
    _ arguments: ParsedArguments, of run: RunConfiguration?
  ) throws(Failure) -> (Settings, file: String?, origin: String) {
    guard let run, arguments[SettingsArguments.config] == nil else { return try SettingsArguments.load(arguments) }
    return (
      try run.settings(overrides: arguments.overrides), DefaultConfiguration.find(),
      SettingsArguments.changed(run.path, arguments)
    )
  }

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    let resumed = try resumedRun(arguments)
    let own = try resumed.flatMap { (folder) throws(Failure) in try RunConfiguration(of: folder) }
    let (settings, file, origin) = try Self.settings(arguments, of: own)
    let job = try training(arguments, settings, file: file, origin: origin)
    guard dtrain_stop_request_install() == 0 else {
      throw Failure(
        .osError, "the signals that stop a run cannot be caught", remedy: "report this with the system's name")
    }
    let waiting = arguments[DebuggerWait.rank]
    try Ranks.run(
      replicas: arguments[Ranks.replicas],
      timeoutSeconds: waiting == nil ? settings.communication.timeoutSeconds : DebuggerWait.timeoutSeconds
    ) { (communicator) throws(Failure) in
      if let waiting { try DebuggerWait.wait(waiting, on: communicator) }
      var job = job
      if let resumed {
        let shared = try RunConfiguration.ofRankZero(own, of: resumed, on: communicator)
        if shared != own {
          let loaded = try Self.settings(arguments, of: shared)
          (job.settings, job.settingsOrigin) = (loaded.0, loaded.origin)
        }
        // With --config it is only compared with, and may be one that can be read no more.
        job.resumedSettings = try? shared?.settings()
      }
      try job.run(on: communicator)
    }
  }

  private static func training(
    _ arguments: ParsedArguments, _ settings: Settings, file: String?, origin: String
  ) throws(Failure) -> TrainingRun {
    let program = "\(Program.name) \(Program.version)"
    var run = TrainingRun(
      settings: settings, settingsOrigin: origin, configurationFile: file, program: program, folder: arguments[folder],
      maximumSteps: arguments[maximumSteps], progress: arguments[progress] ?? .auto, isQuiet: arguments[quiet],
      recorder: arguments[trace].map {
        TimelineRecorder(
          path: $0, program: program, isQuiet: arguments[quiet], messages: arguments[logFormat] ?? .text)
      })
    run.resume = arguments[resume].map { $0 == "auto" ? .newest : .file($0) }
    run.allowsChanges = arguments[allowChanges]
    run.recordedStep = arguments[recordedStep]
    run.logFolder = arguments[logFolder]
    if let text = environmentVariable(BitFlip.variable) { run.bitFlip = try BitFlip(text) }
    run.isVerbose = arguments[verbose]
    run.messages = arguments[logFormat] ?? .text
    run.isStopRequested = { dtrain_stop_request_is_set() != 0 }
    run.command = "\(StartingCommand.ofRanks()) \(ShellText.command(wordsToGoOn(arguments)))"
    return run
  }

  /// What a run that goes on has to be told again, which no file of settings says: how long it is, and how it speaks.
  static func wordsToGoOn(_ arguments: ParsedArguments) -> [String] {
    var words = [syntax.name]
    func add<Value>(_ option: Option<Value>, _ text: (Value) -> String) {
      if let value = arguments[option] { words += [option.spelling, text(value)] }
    }
    add(maximumSteps) { "\($0)" }
    add(Ranks.replicas) { "\($0)" }
    add(progress) { $0.rawValue }
    add(logFormat) { $0.rawValue }
    add(logFolder) { $0 }
    for flag in [quiet, verbose, allowChanges] where arguments[flag] { words.append(flag.spelling) }
    return words
  }
}
