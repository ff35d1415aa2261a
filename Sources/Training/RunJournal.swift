import DataParallel
import Failures
import Reporting

/// Rank 0's account of a run while it goes on: progress and epochs on standard output, every step in `metrics.jsonl`.
final class RunJournal: TrainingObserver {
  private let reporter: ProgressReporter
  private let metrics: MetricsLog
  private let data: RunData
  private let kind: TestMetrics.Kind
  private let learningRate: (_ step: Int) -> Double
  private let job: Job
  private let epochs: Int
  private let stepsPerEpoch: Int
  private let isQuiet: Bool
  private let isVerbose: Bool
  private var start = 0.0
  private var lastStepEnd = 0.0
  private var epochStart = 0.0
  private var epochStatistics = StepStatistics()
  /// Images trained on, and the seconds that took, without evaluations.
  private var images = 0
  private var trainingSeconds = 0.0

  /// Who trains.
  struct Job {
    /// Kind and number of the ranks.
    let ranks: String
    let hosts: [String]
    /// Of each rank.
    let threads: Int
  }

  /// - Parameters:
  ///   - kind: what is evaluated while training goes on.
  ///   - isQuiet: leaves out what is said after each epoch.
  ///   - isVerbose: says something after each step.
  init(
    reporter: ProgressReporter, metrics: MetricsLog, data: RunData, job: Job, kind: TestMetrics.Kind,
    learningRate: @escaping (_ step: Int) -> Double, epochs: Int, stepsPerEpoch: Int, isQuiet: Bool,
    isVerbose: Bool = false
  ) {
    self.reporter = reporter
    self.metrics = metrics
    self.data = data
    self.kind = kind
    self.job = job
    self.learningRate = learningRate
    self.epochs = epochs
    self.stepsPerEpoch = stepsPerEpoch
    self.isQuiet = isQuiet
    self.isVerbose = isVerbose
  }

  func trainingStarts() {
    start = monotonicSeconds()
    lastStepEnd = start
    epochStart = start
    reporter.start(at: start)
  }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {
    let now = monotonicSeconds()
    let seconds = now - lastStepEnd
    lastStepEnd = now
    images += statistics.samples
    trainingSeconds += seconds
    epochStatistics.lossSum += statistics.lossSum
    epochStatistics.correct += statistics.correct
    epochStatistics.samples += statistics.samples
    try metrics.append(
      StepMetrics(
        step: step, epoch: epoch + 1, loss: statistics.meanLoss,
        accuracy: Double(statistics.correct) / Double(statistics.samples), learningRate: learningRate(step),
        imagesPerSecond: Double(statistics.samples) / seconds, seconds: now - start))
    reporter.stepDone(
      epoch: epoch + 1, step: step, samples: statistics.samples, lossSum: statistics.lossSum,
      correct: statistics.correct, at: now)
    if isVerbose { reporter.writeLine(stepLine(step, epoch: epoch, statistics, seconds: seconds)) }
  }

  func ranksMeasured(_ times: [RankTimes], epoch: Int, step: Int) throws(Failure) {
    try metrics.append(
      RankMetrics(
        step: step, epoch: epoch + 1, steps: times.first?.steps ?? 0, stepsPerEpoch: stepsPerEpoch,
        ranks: job.ranks, threads: job.threads, hosts: job.hosts, stepSeconds: times.map(\.seconds),
        computationSeconds: times.map(\.computation),
        exchangeSeconds: times.map(\.exchange), seconds: monotonicSeconds() - start))
  }

  private func stepLine(_ step: Int, epoch: Int, _ statistics: StepStatistics, seconds: Double) -> String {
    let accuracy = Double(statistics.correct) / Double(statistics.samples)
    return "step \(step)  epoch \(epoch + 1)  loss \(NumberText.loss(statistics.meanLoss))  "
      + "accuracy \(NumberText.fixed(accuracy, decimals: 4))  "
      + "\(NumberText.fixed(Double(statistics.samples) / seconds, decimals: 0)) images/s  "
      + "\(NumberText.fixed(seconds * 1e3, decimals: 1)) ms"
  }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure) {
    let now = monotonicSeconds()
    if let evaluation {
      reporter.evaluationDone(seconds: now - lastStepEnd)
      try append(evaluation, kind, epoch, step: step, at: now)
    }
    if !isQuiet { reporter.writeLine(line(epoch, step: step, evaluation, seconds: now - epochStart)) }
    epochStatistics = StepStatistics()
    epochStart = now
    lastStepEnd = now
    reporter.start(at: now)
  }

  /// The test samples were evaluated at the end, behind the last validation.
  func testDone(_ epoch: Int, step: Int, _ result: Evaluation.Result) throws(Failure) {
    try append(result, .test, epoch, step: step, at: monotonicSeconds())
  }

  private func append(
    _ result: Evaluation.Result, _ kind: TestMetrics.Kind, _ epoch: Int, step: Int, at time: Double
  ) throws(Failure) {
    try metrics.append(
      TestMetrics(
        kind, step: step, epoch: epoch + 1, dataset: data.name, loss: result.loss, errors: result.errors,
        samples: result.samples, seconds: time - start))
  }

  /// Writes what is still kept.
  func finish() throws(Failure) { try metrics.flush() }

  /// Leaves the terminal clean, also when the run has failed.
  func close() { reporter.clear() }

  /// What the run came to, in one line.
  var summary: String {
    guard images > 0 else { return "nothing was left to train" }
    return "trained on \(images) images in \(NumberText.duration(trainingSeconds)) "
      + "(\(NumberText.fixed(Double(images) / trainingSeconds, decimals: 0)) images/s)"
  }

  private func line(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?, seconds: Double) -> String {
    var parts = ["epoch \(epoch + 1)/\(epochs)"]
    if step % stepsPerEpoch != 0 { parts.append("(\(step % stepsPerEpoch) of \(stepsPerEpoch) steps)") }
    // A run that goes on at the end of an epoch has trained on nothing of it.
    if epochStatistics.samples > 0 {
      let accuracy = Double(epochStatistics.correct) / Double(epochStatistics.samples)
      parts.append("loss \(NumberText.loss(epochStatistics.meanLoss))")
      parts.append("accuracy \(NumberText.fixed(accuracy, decimals: 4))")
    }
    if let evaluation { parts.append(ResultText.accuracy(evaluation, of: data, kind: kind)) }
    parts.append("\(NumberText.fixed(seconds, decimals: 1)) s")
    return parts.joined(separator: "  ")
  }
}
