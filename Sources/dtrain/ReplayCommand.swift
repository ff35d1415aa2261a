import Arguments
import Checkpoints
import Configuration
import Failures
import Training

/// `dtrain replay`.
enum ReplayCommand: Subcommand {
  private static let checkpoint = Option(
    "checkpoint", placeholder: "FILE", help: "a checkpoint of the run, from before the step", isRequired: true)
  private static let microbatch = Option<Int>(
    "microbatch", placeholder: "M", expectation: "a whole number of at least 0",
    help: "which microbatch of the step, counted from 0", isRequired: true,
    read: { text in Int(text).flatMap { $0 >= 0 ? $0 : nil } })
  private static let step = Option(
    "step", in: 1...Int.max,
    help: "the step to look at (default: the one after the checkpoint); steps in between are trained first")
  private static let data = Option(
    "data", placeholder: "DIR", help: "the folder that holds the data set's files; the same as dataset.path=DIR")

  static let syntax = CommandSyntax(
    name: "replay", summary: "do again what a rank did in one microbatch of a step",
    discussion:
      "Computes one microbatch in one process, to the bits that whichever rank of the job had it came to, and "
      + "prints its samples, its loss, the norm of each layer's gradient and the SHA-256 of the gradient, which "
      + "'dtrain train --record-gradients STEP' records of a live job.",
    options: [checkpoint, microbatch, step, data],
    overrides: "sets one setting that leaves the bits as they are, such as dataset.path=DIR or training.threads=2",
    examples: [
      Example(
        "dtrain replay --checkpoint runs/first/checkpoints/step-00000600.safetensors --microbatch 7",
        "microbatch 7 of step 601"),
      Example("launch/debug.sh single replay --checkpoint FILE --microbatch 7", "the same in the debugger"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .inputOutput, .noPermission,
      .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    guard let path = arguments[checkpoint], let microbatch = arguments[microbatch] else { return }
    guard Ranks.launchedRank == nil else {
      throw Failure(.usage, "replay is the work of one process", remedy: "start it without the launcher")
    }
    let checkpoint = try Checkpoint(reading: path)
    let stored = try SettingsLoader.load(stored: checkpoint.configuration, in: path)
    var settings = try SettingsLoader.load(
      stored: checkpoint.configuration, in: path, overrides: arguments.overrides)
    let changes = settings.differences(from: stored, in: [.arithmetic])
    guard changes.isEmpty else {
      throw Failure(
        .usage,
        "a replay has the settings of its run, and \(changes.map(\.key).joined(separator: ", ")) would change "
          + "the bits", remedy: "leave them out")
    }
    if let folder = arguments[data] { settings.dataset.path = folder }
    try ReplayRun(
      settings: settings, checkpoint: checkpoint, path: path, microbatch: microbatch, step: arguments[step]
    ).run()
  }
}
