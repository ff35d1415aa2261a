import Arguments
import Benchmarks
import Checkpoints
import Failures
import Reporting

/// `dtrain profile`.
enum ProfileCommand: Subcommand {
  private static let output = Option(
    "output", letter: "o", placeholder: "FILE.svg", expectation: "a name that ends in .svg",
    help: "the picture (default: profile.svg); rsvg-convert or a browser makes a PNG of it",
    read: { $0.hasSuffix(".svg") && $0.utf8.count > 4 ? $0 : nil })
  private static let json = Option(
    "json", placeholder: "FILE",
    help: "also write the profile into this file, for programs; as RUN/profile.json, dtrain report RUN shows it")
  private static let seconds = Measurement.seconds(
    help: "how long each of three rounds is, of which the fastest counts (default: 1)")

  static let syntax = CommandSyntax(
    name: "profile", summary: "show where the time of a training step goes",
    discussion: "Trains for a few seconds and gives the share of every layer, forward and backward, and of what else a "
      + "step does, as a table and as a picture. Nothing is kept of the training. Without the data set (and without "
      + "dataset.path) it takes drawn digits.",
    options: [output, json, seconds, SettingsArguments.config, Ranks.replicas],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain profile", "one process; the picture goes to profile.svg"),
      Example("mpirun -n 4 dtrain profile --output four-ranks.svg", "four ranks, the mean over them"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    let (settings, _, _) = try SettingsArguments.load(arguments)
    let path = arguments[output] ?? "profile.svg"
    let jsonPath = arguments[json]
    let secondsPerRound = arguments[seconds] ?? 1
    try Ranks.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds
    ) { (communicator) throws(Failure) in
      if communicator.rank == 0 {
        for path in [path, jsonPath].compactMap({ $0 }) { try AtomicFile.probe(for: path) }
      }
      guard
        let profile = try StepProfile.measure(
          settings, program: "\(Program.name) \(Program.version)", secondsPerRound: secondsPerRound, on: communicator)
      else { return }
      try AtomicFile.write(profile.picture, to: path)
      if let jsonPath { try AtomicFile.write(profile.json.encoded + "\n", to: jsonPath) }
      let output = TextOutput()
      for line in profile.lines { output.writeLine(line) }
      output.writeLine("\npicture \(path)")
      try output.finish()
    }
  }
}
