import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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

/// Writes `metrics.jsonl`: one JSON object a line, `"kind":"step"` after each step, `"kind":"test"` or
/// `"kind":"validation"` after each evaluation.
///
/// Steps are kept as they are and become text every few seconds, so that a step allocates nothing.
public final class MetricsLog {
  private static let capacity = 4096
  private static let flushSeconds = 2.0

  private let path: String
  private let descriptor: Int32
  private var pending: [StepMetrics] = []
  private var flushedAt = 0.0

  /// Creates the file, in place of what had its name, or goes on with it.
  ///
  /// - Parameter step: steps made so far. What the file has of them stays, and what comes behind is cut off: it will
  ///   come again, the test after this very step included.
  /// - Throws: a failure with `ExitCode.cannotCreate` or `ExitCode.inputOutput`.
  public init(path: String, goingOnAfter step: Int = 0) throws(Failure) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | (step > 0 ? 0 : O_TRUNC) | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Failure(
        .cannotCreate, "\(path): \(errorText(errno))", remedy: "choose a folder that can be written with --run-dir")
    }
    if step > 0, let error = MetricsRecords.cut(descriptor, after: step) {
      throw Failure(.inputOutput, "\(path): \(errorText(error))", remedy: "check the file and its file system")
    }
    pending.reserveCapacity(Self.capacity)
  }

  deinit { close(descriptor) }

  /// - Throws: a failure with `ExitCode.inputOutput` when what was kept cannot be written.
  public func append(_ step: StepMetrics) throws(Failure) {
    pending.append(step)
    if pending.count == Self.capacity || step.seconds - flushedAt >= Self.flushSeconds {
      flushedAt = step.seconds
      try flush()
    }
  }

  /// Writes the line at once, after all that was kept.
  public func append(_ test: TestMetrics) throws(Failure) {
    try flush(followedBy: test.json.encoded + "\n")
  }

  /// Writes all that was kept. To be called at the end.
  public func flush() throws(Failure) { try flush(followedBy: "") }

  private func flush(followedBy last: String) throws(Failure) {
    var text = ""
    for step in pending { text += step.json.encoded + "\n" }
    pending.removeAll(keepingCapacity: true)
    text += last
    let error = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
    guard error == 0 else {
      throw Failure(.inputOutput, "\(path): \(errorText(error))", remedy: "make room there or choose another --run-dir")
    }
  }
}
