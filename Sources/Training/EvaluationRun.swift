import Checkpoints
import Communication
import Configuration
import Datasets
import Digests
import Failures
import NeuralNetwork
import Reporting

/// How good stored weights are on the test images: what `dtrain evaluate` does on each rank.
public struct EvaluationRun: Sendable {
  /// What is written besides the lines on standard output, each where a path is given.
  public struct Outputs: Sendable {
    /// All figures, as one JSON object.
    public var report: String?
    /// The wrong answers, as PNG.
    public var wrongAnswers: String?
    /// Every sample's label, answer and scores, as CSV.
    public var predictions: String?
    /// The k of top-k accuracy.
    public var topCount = 2

    public init() {}

    var paths: [String] { [report, wrongAnswers, predictions].compactMap { $0 } }
  }

  private let settings: Settings
  private let weights: SafetensorsFile
  private let weightsPath: String
  private let outputs: Outputs
  /// Leaves test accuracy and weights digest alone on standard output.
  public var isQuiet = false
  /// How the lines of standard output are written.
  public var messages = MessageFormat.text

  /// - Parameters:
  ///   - settings: those of the network that the weights are of.
  ///   - weightsPath: the weights' file, for messages.
  public init(settings: Settings, weights: SafetensorsFile, weightsPath: String, outputs: Outputs = Outputs()) {
    self.settings = settings
    self.weights = weights
    self.weightsPath = weightsPath
    self.outputs = outputs
  }

  /// - Throws: `.badData` where the weights do not fit the network; whatever else has to end the job.
  public func run(on communicator: any Communicator) throws(Failure) {
    if communicator.rank == 0 {
      for path in outputs.paths { try AtomicFile.probe(for: path) }
    }
    let digest = WeightsDigest.of(weights.tensors)
    try communicator.agree(
      on: SHA256.of("\(digest)\n\(settings.agreementDigest)").bytes, what: "weights or configuration",
      phase: Phase("agreement on the weights"))
    let test = try settings.openDataset(.test)
    try communicator.agree(on: test.sampleDigest.bytes, what: "data set", phase: Phase("agreement on the data"))
    let network = try settings.makeNetwork(for: test.imageShape, weights: weights, from: weightsPath)
    let (result, predictions) = try Evaluation(
      network: network, dataset: test, microbatch: settings.evaluation.microbatch,
      threads: settings.threads(on: communicator), testTimeAugmentation: settings.testTimeAugmentation,
      communicator: communicator
    ).runWithPredictions()
    guard let predictions else { return }
    let report = ClassificationReport(predictions, topCount: outputs.topCount)
    try write(result, report, predictions, digest, of: test)
    let output = TextOutput(format: messages)
    for line in lines(result, report, digest, of: test) { output.writeLine(line) }
    try output.finish()
  }

  private func lines(
    _ result: Evaluation.Result, _ report: ClassificationReport, _ digest: Digest, of test: any Datasets.Dataset
  ) -> [String] {
    let data = RunData(test)
    let (accuracy, weights) = (ResultText.accuracy(result, of: data), ResultText.weights(digest, of: data))
    guard !isQuiet else { return [accuracy, weights] }
    let wrong = outputs.wrongAnswers.map { ["", "wrong answers \($0)\(left(of: result.errors))"] } ?? []
    return ["data \(test.name), \(test.origin)", weights, "test loss \(NumberText.loss(result.loss))", accuracy]
      + report.lines + wrong
  }

  private func left(of errors: Int) -> String {
    errors > WrongAnswersSheet.limit ? " (the \(WrongAnswersSheet.limit) surest of \(errors))" : ""
  }

  private func write(
    _ result: Evaluation.Result, _ report: ClassificationReport, _ predictions: Predictions, _ digest: Digest,
    of test: any Datasets.Dataset
  ) throws(Failure) {
    if let path = outputs.report {
      let head: [JSONValue.Member] = [
        .init("weights_digest", .text("\(digest)")), .init("data", .text(test.name)),
        .init("samples", .integer(result.samples)), .init("errors", .integer(result.errors)),
        .init("accuracy", .number(result.accuracy)), .init("loss", .number(result.loss)),
      ]
      try AtomicFile.write(JSONValue.object(head + report.members).encoded + "\n", to: path)
    }
    if let path = outputs.wrongAnswers {
      try WrongAnswersSheet.picture(of: predictions, in: test).write(to: path)
    }
    if let path = outputs.predictions { try AtomicFile.write(predictions.commaSeparated, to: path) }
  }
}
