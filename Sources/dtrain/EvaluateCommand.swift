import Arguments
import Failures
import Training
import WeightExchange

/// `dtrain evaluate`.
enum EvaluateCommand: Subcommand {
  private static let weights = Option(
    "weights", placeholder: "FILE",
    help: "the weights to evaluate: safetensors, also a checkpoint, or .npz, or the book's .pkl", isRequired: true)
  private static let data = Option(
    "data", placeholder: "DIR", help: "the folder that holds the data set's files; the same as dataset.path=DIR")

  static let syntax = CommandSyntax(
    name: "evaluate", summary: "loss and accuracy of weights on the test images",
    discussion: "Every test image counts once, over all ranks: the result is the same at any number of them.",
    options: [weights, data, NetworkSettings.config, Ranks.replicas], overrides: SettingsArguments.overridesHelp,
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
    let file = try WeightsFile.read(path)
    var settings = try NetworkSettings.load(arguments, of: file, path)
    if let folder = arguments[data] { settings.dataset.path = folder }
    let run = EvaluationRun(settings: settings, weights: file, weightsPath: path)
    try Ranks.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds
    ) { (communicator) throws(Failure) in try run.run(on: communicator) }
  }
}
