import Checkpoints
import Communication
import Configuration
import Datasets
import Digests
import Failures
import NeuralNetwork
import Reporting

/// Loss and accuracy of stored weights on the test images: what `dtrain evaluate` does on each rank.
public struct EvaluationRun: Sendable {
  private let settings: Settings
  private let weights: SafetensorsFile
  private let weightsPath: String

  /// - Parameters:
  ///   - settings: those of the network that the weights are of.
  ///   - weightsPath: the weights' file, for messages.
  public init(settings: Settings, weights: SafetensorsFile, weightsPath: String) {
    self.settings = settings
    self.weights = weights
    self.weightsPath = weightsPath
  }

  /// - Throws: `.badData` where the weights do not fit the network; whatever else has to end the job.
  public func run(on communicator: any Communicator) throws(Failure) {
    let digest = WeightsDigest.of(weights.tensors)
    try communicator.agree(
      on: SHA256.of("\(digest)\n\(settings.agreementDigest)").bytes, what: "weights or configuration",
      phase: Phase("agreement on the weights"))
    let test = try settings.openDataset(.test)
    try communicator.agree(on: test.sampleDigest.bytes, what: "data set", phase: Phase("agreement on the data"))
    let network = try settings.makeNetwork(for: test.imageShape, weights: weights, from: weightsPath)
    let result = try Evaluation(
      network: network, dataset: test, microbatch: settings.evaluation.microbatch,
      threads: settings.threads(on: communicator), communicator: communicator
    ).run()
    guard communicator.rank == 0 else { return }
    let output = TextOutput()
    let data = RunData(test)
    output.writeLine("data \(test.name), \(test.origin)")
    output.writeLine(ResultText.weights(digest, of: data))
    output.writeLine("test loss \(NumberText.loss(result.loss))")
    output.writeLine(ResultText.accuracy(result, of: data))
    try output.finish()
  }
}
