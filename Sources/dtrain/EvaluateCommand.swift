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

  private static let top = Option("top", placeholder: "K", in: 1...65_536, help: "the k of top-k accuracy (default: 2)")
  private static let json = Option("json", placeholder: "FILE", help: "also write all figures, as one JSON object")
  private static let wrong = Option<String>(
    "wrong", placeholder: "FILE.png", expectation: "a name that ends in .png",
    help: "also draw the images that were answered wrongly, the surest first; under each: truth > answer, confidence",
    read: { $0.hasSuffix(".png") && $0.utf8.count > 4 ? $0 : nil })
  private static let predictions = Option(
    "predictions", placeholder: "FILE.csv", help: "also write every image's label, answer, confidence and scores")

  static let syntax = CommandSyntax(
    name: "evaluate", summary: "how good weights are on the test images",
    discussion: "Prints loss, accuracy, top-k accuracy, calibration error (the mean difference between confidence and "
      + "accuracy, over 15 bins), precision and recall by class, and which class is taken for which. Every test image "
      + "counts once, over all ranks: the result is the same at any number of them. Of a checkpoint with a moving average "
      + "of the weights the average is evaluated, as the run itself did.",
    options: [
      weights, data, NetworkSettings.config, NetworkSettings.precision, top, json, wrong, predictions, Ranks.replicas,
      TrainCommand.quiet, TrainCommand.logFormat,
    ],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain evaluate --weights runs/first/weights.safetensors", "on the data that the settings name"),
      Example("mpirun -n 4 dtrain evaluate --weights w.safetensors --data /data/mnist", "with four ranks, other files"),
      Example("dtrain evaluate --weights w.safetensors --wrong wrong.png", "a picture of the errors"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    guard let path = arguments[weights] else { return }
    let file = try WeightsFile.read(path).rounded(to: arguments[NetworkSettings.precision] ?? .float32, from: path)
    var settings = try NetworkSettings.load(arguments, of: file, path)
    if let folder = arguments[data] { settings.dataset.path = folder }
    var outputs = EvaluationRun.Outputs()
    outputs.report = arguments[json]
    outputs.wrongAnswers = arguments[wrong]
    outputs.predictions = arguments[predictions]
    outputs.topCount = arguments[top] ?? outputs.topCount
    var run = EvaluationRun(settings: settings, weights: file, weightsPath: path, outputs: outputs)
    run.isQuiet = arguments[TrainCommand.quiet]
    run.messages = arguments[TrainCommand.logFormat] ?? .text
    let job = run
    try Ranks.run(
      replicas: arguments[Ranks.replicas], timeoutSeconds: settings.communication.timeoutSeconds
    ) { (communicator) throws(Failure) in try job.run(on: communicator) }
  }
}
