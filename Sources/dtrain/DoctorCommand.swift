import Arguments
import Communication
import Diagnosis
import Failures
import Kernels
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `dtrain doctor`.
enum DoctorCommand: Subcommand {
  private static let ranks = Option(
    "ranks", letter: "n", in: 1...65536, help: "how many ranks are meant, against which cores and slots are held")
  private static let hostfile = Option(
    "hostfile", placeholder: "FILE", help: "mpirun's file of hosts; the trial has a rank on each of them")
  private static let folder = Option(
    "run-dir", placeholder: "DIR", help: "where the files of the run are to go (default: runs)")
  private static let json = Flag("json", help: "print one JSON object: ok, warnings, failures and findings")

  static let syntax = CommandSyntax(
    name: "doctor", summary: "check beforehand whether a job will run here",
    discussion: "Looks at mpirun and its library, the user, the processor, cores and slots, the network, memory and "
      + "its limits, the data, and the folder of the run; then starts itself under mpirun, with one rank on each host "
      + "and two at least, which talk to each other, compare their clocks and look at their host's data. Each line "
      + "says ok, warning, failure or skipped, and the line below it what to do. Under mpirun or srun it does the "
      + "ranks' part alone.",
    options: [ranks, hostfile, folder, SettingsArguments.config, json], overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain doctor -n 4", "whether four ranks will run on this host"),
      Example("dtrain doctor -n 8 --hostfile hosts --run-dir /shared/runs/first", "a job over several hosts"),
      Example("mpirun -n 8 --hostfile hosts dtrain doctor", "the ranks' part, started by hand"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .inputOutput, .noPermission,
      .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    let (settings, file, _) = try SettingsArguments.load(arguments)
    let circumstances = Circumstances(
      settings: settings, settingsArguments: (file.map { ["--config", $0] } ?? []) + arguments.overrides,
      ranks: arguments[ranks], hostfile: arguments[hostfile], runFolder: arguments[folder],
      environment: Circumstances.ownEnvironment(), program: ProgramFile.path() ?? Program.name)
    let isJSON = arguments[json]
    guard Launcher.detect() == nil else {
      return try Ranks.run(replicas: nil, timeoutSeconds: settings.communication.timeoutSeconds) {
        (communicator) throws(Failure) in
        guard let report = try Diagnosis.within(communicator, circumstances) else { return }
        let verdict = try show(report, isJSON: isJSON)
        // The launcher hands the code on when all ranks have left in good order.
        if verdict != .success {
          try communicator.finish()
          exit(verdict.rawValue)
        }
      }
    }
    let verdict = try show(Diagnosis.beforehand(circumstances, processor: processor()), isJSON: isJSON)
    if verdict != .success { exit(verdict.rawValue) }
  }

  private static func show(_ report: Report, isJSON: Bool) throws(Failure) -> ExitCode {
    let output = TextOutput()
    for line in isJSON ? [report.json.encoded] : report.lines + [report.summary] { output.writeLine(line) }
    try output.finish()
    return report.verdict
  }

  private static func processor() -> Finding {
    do throws(Failure) {
      try ProcessorCheck.verify()
      return Finding(
        "processor", .ok,
        "\(processorName() ?? "this processor") can run a build for \(ProcessorBaseline.required.rawValue), "
          + "in vectors of \(VectorWidth.used.rawValue) bits")
    } catch {
      return Finding("processor", .failure, error.cause, remedy: error.remedy)
    }
  }
}
