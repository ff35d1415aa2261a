import Arguments
import Checkpoints
import Configuration
import Failures
import Training

/// `dtrain evaluate`.
enum EvaluateCommand: Subcommand {
  private static let weights = Option(
    "weights", placeholder: "FILE", help: "the safetensors file to evaluate, also a checkpoint", isRequired: true)
  private static let data = Option(
    "data", placeholder: "DIR", help: "the folder that holds the data set's files; the same as dataset.path=DIR")
  private static let config = Option(
    "config", placeholder: "FILE",
    help: "the settings of the network (default: those that the weights were trained with, as their file says)")

  static let syntax = CommandSyntax(
    name: "evaluate", summary: "loss and accuracy of weights on the test images",
    discussion: "Every test image counts once, over all ranks: the result is the same at any number of them. Of a "
      + "checkpoint with a moving average of the weights the average is evaluated, as the run itself did.",
    options: [weights, data, config, Ranks.replicas], overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain evaluate --weights runs/first/weights.safetensors", "on the data that the settings name"),
      Example("mpirun -n 4 dtrain evaluate --weights w.safetensors --data /data/mnist", "with four ranks, other files"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .inputOutput, .noPermission,
      .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    guard let path = arguments[weights] else { return }
    let file = try SafetensorsFile(weightsIn: path)
    var settings = try settings(arguments, of: file, path)
    if let folder = arguments[data] { settings.dataset.path = folder }
    let run = EvaluationRun(settings: settings, weights: file, weightsPath: path)
    try Ranks.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds
    ) { (communicator) throws(Failure) in try run.run(on: communicator) }
  }

  private static func settings(
    _ arguments: ParsedArguments, of file: SafetensorsFile, _ path: String
  ) throws(Failure) -> Settings {
    // A run may have tested on a part of the images; here all of them count unless the command line says otherwise.
    if let own = file.configuration, arguments[config] == nil {
      return try SettingsLoader.load(
        text: own, named: "\(path), its configuration", overrides: ["dataset.test_samples=0"] + arguments.overrides)
    }
    return try SettingsLoader.load(
      file: arguments[config] ?? DefaultConfiguration.find(), overrides: arguments.overrides)
  }
}
