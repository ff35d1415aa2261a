/// What one step of training measured: a line of `metrics.jsonl` with these fields in this order.
public struct StepMetrics: Equatable, Sendable {
  /// `step`: updates of the parameters since the run began, this one included.
  public var step: Int
  /// `epoch`: the pass over the training set that the step belongs to, from 1.
  public var epoch: Int
  /// `loss`: the exact mean of the loss over the samples of the global batch, in nats, before the update.
  public var loss: Double
  /// `accuracy`: the share of those samples that the same pass classified rightly, in [0, 1].
  public var accuracy: Double
  /// `learning_rate`: of this step, as the schedule has it, before the optimizer's own corrections.
  public var learningRate: Double
  /// `images_per_second`: samples of the global batch by the seconds this step took.
  public var imagesPerSecond: Double
  /// `seconds`: since training began.
  public var seconds: Double

  public init(
    step: Int, epoch: Int, loss: Double, accuracy: Double, learningRate: Double, imagesPerSecond: Double,
    seconds: Double
  ) {
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.accuracy = accuracy
    self.learningRate = learningRate
    self.imagesPerSecond = imagesPerSecond
    self.seconds = seconds
  }

  var json: JSONValue {
    .object([
      .init("kind", .text("step")), .init("step", .integer(step)), .init("epoch", .integer(epoch)),
      .init("loss", .number(loss)), .init("accuracy", .number(accuracy)),
      .init("learning_rate", .number(learningRate)), .init("images_per_second", .number(imagesPerSecond)),
      .init("seconds", .number(seconds)),
    ])
  }
}

/// What one evaluation measured: a line of `metrics.jsonl` with these fields in this order, where those of an evaluation
/// of validation samples begin with `validation_`.
public struct TestMetrics: Equatable, Sendable {
  /// `kind`: which samples were evaluated.
  public enum Kind: String, Sendable { case test, validation }

  public var kind = Kind.test
  /// `step`: updates of the parameters before the evaluation.
  public var step: Int
  /// `epoch`: the pass over the training set that was under way or had just ended, from 1.
  public var epoch: Int
  /// `dataset`: the name of the data, so that drawn digits are never taken for real ones.
  public var dataset: String
  /// `test_loss`: the mean loss over the test samples, in nats.
  public var loss: Double
  /// `test_errors`: samples that were not classified rightly.
  public var errors: Int
  /// `test_samples`.
  public var samples: Int
  /// `seconds`: since training began.
  public var seconds: Double

  public init(
    _ kind: Kind = .test, step: Int, epoch: Int, dataset: String, loss: Double, errors: Int, samples: Int,
    seconds: Double
  ) {
    self.kind = kind
    self.step = step
    self.epoch = epoch
    self.dataset = dataset
    self.loss = loss
    self.errors = errors
    self.samples = samples
    self.seconds = seconds
  }

  /// `test_accuracy`, in [0, 1].
  public var accuracy: Double { Double(samples - errors) / Double(samples) }

  var json: JSONValue {
    .object([
      .init("kind", .text(kind.rawValue)), .init("step", .integer(step)), .init("epoch", .integer(epoch)),
      .init("dataset", .text(dataset)), .init("\(kind)_loss", .number(loss)),
      .init("\(kind)_accuracy", .number(accuracy)), .init("\(kind)_errors", .integer(errors)),
      .init("\(kind)_samples", .integer(samples)),
      .init("seconds", .number(seconds)),
    ])
  }
}

/// What the ranks did with the time of some steps, usually an epoch's: a line of `metrics.jsonl` with these fields in this
/// order, a value a rank in each list.
public struct RankMetrics: Equatable, Sendable {
  /// `step`: updates of the parameters since the run began.
  public var step: Int
  /// `epoch`: from 1.
  public var epoch: Int
  /// `steps`: the steps that were measured.
  public var steps: Int
  /// `steps_per_epoch`: of a whole epoch.
  public var stepsPerEpoch: Int
  /// `ranks`: the kind and number of the ranks, as a person calls them.
  public var ranks: String
  /// `threads`: that compute, on each rank.
  public var threads: Int
  /// `hosts`: by rank.
  public var hosts: [String]
  /// `step_seconds`: what the steps took, by rank.
  public var stepSeconds: [Double]
  /// `computation_seconds`: of these, those in which the rank computed and added gradients.
  public var computationSeconds: [Double]
  /// `exchange_seconds`: of these, those in which it waited for others or moved bytes.
  public var exchangeSeconds: [Double]
  /// `seconds`: since training began.
  public var seconds: Double

  public init(
    step: Int, epoch: Int, steps: Int, stepsPerEpoch: Int, ranks: String, threads: Int, hosts: [String],
    stepSeconds: [Double],
    computationSeconds: [Double], exchangeSeconds: [Double], seconds: Double
  ) {
    self.step = step
    self.epoch = epoch
    self.steps = steps
    self.stepsPerEpoch = stepsPerEpoch
    self.ranks = ranks
    self.threads = threads
    self.hosts = hosts
    self.stepSeconds = stepSeconds
    self.computationSeconds = computationSeconds
    self.exchangeSeconds = exchangeSeconds
    self.seconds = seconds
  }

  var json: JSONValue {
    func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
    return .object([
      .init("kind", .text("ranks")), .init("step", .integer(step)), .init("epoch", .integer(epoch)),
      .init("steps", .integer(steps)), .init("steps_per_epoch", .integer(stepsPerEpoch)),
      .init("ranks", .text(ranks)), .init("threads", .integer(threads)),
      .init("hosts", .array(hosts.map { .text($0) })), .init("step_seconds", numbers(stepSeconds)),
      .init("computation_seconds", numbers(computationSeconds)),
      .init("exchange_seconds", numbers(exchangeSeconds)), .init("seconds", .number(seconds)),
    ])
  }
}
