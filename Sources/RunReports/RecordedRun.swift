import Checkpoints
import Configuration
import Digests
import Reporting

/// What the folder of a run tells of it.
public struct RecordedRun: Sendable {
  /// A step, as `metrics.jsonl` has it. What is not finite is not a number.
  struct Step: Equatable, Sendable {
    var step = 0
    /// From 1.
    var epoch = 0
    var loss = Double.nan
    var accuracy = Double.nan
    var learningRate = Double.nan
    var imagesPerSecond = Double.nan
    var seconds = Double.nan
  }

  /// An evaluation, of the test samples or of those held back.
  struct Test: Equatable, Sendable {
    var step = 0
    var epoch = 0
    var dataset = ""
    var loss = Double.nan
    var accuracy = Double.nan
    var errors = 0
    var samples = 0
  }

  /// What the ranks did with the time of an epoch's steps.
  struct Ranks: Equatable, Sendable {
    var step = 0
    var epoch = 0
    var steps = 0
    var stepsPerEpoch = 1
    var ranks = ""
    var threads = 1
    var hosts: [String] = []
    var stepSeconds: [Double] = []
    var computationSeconds: [Double] = []
    var exchangeSeconds: [Double] = []
  }

  /// The weights that the run has come to.
  struct Weights: Sendable {
    let path: String
    let file: SafetensorsFile
    let step: Int?
    let digest: Digest
    /// Whether they are those of the run's end.
    let isFinal: Bool
  }

  /// What a person calls it: the folder's last name.
  var name: String
  public let folder: String
  public let settings: Settings
  let steps: [Step]
  let tests: [Test]
  /// Of the samples that were held back to choose by; empty where none were.
  let validations: [Test]
  let ranks: [Ranks]
  let weights: Weights?
  let profile: StepTimes?
  /// What is not as it should be, and does not keep the report from being written: sentences.
  let remarks: [String]
}

extension RecordedRun {
  var configurationFile: String { RunDirectory(path: folder).configuration }

  /// Steps of a whole epoch; nil where nothing tells.
  var stepsPerEpoch: Int? {
    if let last = ranks.last { return last.stepsPerEpoch }
    for (step, next) in zip(steps, steps.dropFirst()) where next.epoch > step.epoch && step.epoch > 0 {
      return max(1, step.step / step.epoch)
    }
    return nil
  }

  var lastStep: Int { max(steps.last?.step ?? 0, tests.last?.step ?? 0) }

  /// Whether it came to its end, as far as the folder tells.
  var isComplete: Bool { weights?.isFinal == true }

  /// The test with the fewest errors, of equal ones the first.
  var best: Test? { tests.min { ($0.errors, $0.step) < ($1.errors, $1.step) } }

  /// Seconds in which the run trained and tested, pauses between its jobs left out.
  var seconds: Double {
    var sum = 0.0
    var last = 0.0
    for step in steps where step.seconds.isFinite {
      if step.seconds < last { sum += last }
      last = step.seconds
    }
    return sum + last
  }

  /// Over the steps, whose batches may differ.
  var medianImagesPerSecond: Double? {
    let rates = steps.lazy.map(\.imagesPerSecond).filter(\.isFinite).sorted()
    return rates.isEmpty ? nil : rates[rates.count / 2]
  }

  /// The command that makes the same weights again.
  var command: String {
    let whole = stepsPerEpoch.map { Double($0) * Double(settings.training.epochs) } ?? .infinity
    let limit = isComplete && Double(lastStep) < whole ? " --max-steps \(lastStep)" : ""
    return "dtrain train --config \(ShellText.quoted(configurationFile))\(limit)"
  }
}
