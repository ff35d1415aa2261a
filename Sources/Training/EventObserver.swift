import Configuration
import DataParallel
import Datasets
import EventFiles
import Failures
import Images
import NeuralNetwork
import Reporting

/// Tells TensorBoard of a run, on rank 0, and hands on what it is told.
///
/// Curves are for looking at, and the run is worth more: where they cannot be written any more, a warning says so once, what
/// was written stays whole, and the run goes on.
final class EventObserver: TrainingObserver {
  private let next: any TrainingObserver
  private let log: EventLog
  private let trainer: Trainer
  private let everySteps: Int
  private let warn: (String) -> Void
  /// Tensors and the names of their histograms, made once.
  private let histograms: [(tensor: ParameterTensor, weights: String, gradients: String)]
  private var statistics = StepStatistics()
  private var start = 0.0
  private var flushed = 0.0
  private var hasWarned = false

  private static let flushSeconds = 5.0
  /// Samples whose copies are shown.
  private static let previewed = 8

  /// - Parameters:
  ///   - folder: of the run.
  ///   - training: whose copies are shown where there is augmentation.
  ///   - next: is told first.
  ///   - warn: is told once, in a sentence, that nothing more can be written.
  init(
    of trainer: Trainer, in folder: String, settings: Settings, training: any Datasets.Dataset,
    next: any TrainingObserver, warn: @escaping (String) -> Void
  ) throws(Failure) {
    self.trainer = trainer
    self.next = next
    self.warn = warn
    everySteps = settings.reporting.everySteps
    histograms = trainer.network.parameters.tensors.map {
      ($0, EventTag.weights($0.name), EventTag.gradients($0.name))
    }
    log = try EventLog(folder: folder, goingOnAfter: trainer.step, endsEpoch: trainer.step % trainer.stepsPerEpoch == 0)
    log.addText(EventTag.configuration, Self.markdown(settings), step: trainer.step)
    try addPreview(training)
    log.flush()
  }

  func trainingStarts() {
    next.trainingStarts()
    start = monotonicSeconds()
    flushed = start
  }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {
    try next.stepDone(step, epoch: epoch, statistics)
    self.statistics.lossSum += statistics.lossSum
    self.statistics.correct += statistics.correct
    self.statistics.samples += statistics.samples
    guard step % everySteps == 0 || step == trainer.totalSteps else { return }
    let now = monotonicSeconds()
    let sum = self.statistics
    log.add(step: step) { summary in
      summary.scalar(EventTag.trainingLoss, sum.meanLoss)
      summary.scalar(EventTag.trainingAccuracy, Double(sum.correct) / Double(sum.samples))
      summary.scalar(EventTag.learningRate, trainer.update.rate(ofStep: step))
      summary.scalar(EventTag.speed, Double(sum.samples) / (now - start))
    }
    self.statistics = StepStatistics()
    start = now
    if now - flushed >= Self.flushSeconds { flush(at: now) }
  }

  func ranksMeasured(_ times: [RankTimes], epoch: Int, step: Int) throws(Failure) {
    try next.ranksMeasured(times, epoch: epoch, step: step)
  }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure) {
    try next.epochDone(epoch, step: step, evaluation)
    let parameters = trainer.network.parameters
    // A run that goes on at the end of an epoch has no gradient yet, and its file has it already.
    if trainer.trainingStep.hasGradient {
      for (tensor, _, gradients) in histograms {
        let values = UnsafeBufferPointer(start: trainer.trainingStep.gradient + tensor.offset, count: tensor.count)
        log.addHistogram(gradients, values, step: step)
      }
    }
    if let evaluation {
      log.add(step: step) { summary in
        let isTest = trainer.validation == nil
        summary.scalar(isTest ? EventTag.testLoss : EventTag.validationLoss, evaluation.loss)
        summary.scalar(isTest ? EventTag.testAccuracy : EventTag.validationAccuracy, evaluation.accuracy)
      }
    }
    for (tensor, weights, _) in histograms {
      log.addHistogram(weights, UnsafeBufferPointer(parameters.values(of: tensor)), step: step)
    }
    let now = monotonicSeconds()
    flush(at: now)
    // Neither the evaluation nor this counts as training.
    start = now
  }

  /// Adds what is known at the end of the run: a sheet of the wrong answers.
  func finish(_ test: any Datasets.Dataset) throws(Failure) {
    if log.failure == nil, let predictions = trainer.predictions {
      try add(EventTag.wrongAnswers, WrongAnswersSheet.picture(of: predictions, in: test))
    }
    flush(at: monotonicSeconds())
  }

  /// A run that begins shows what augmentation makes of its first samples, in its first epochs.
  private func addPreview(_ training: any Datasets.Dataset) throws(Failure) {
    let schedule = trainer.schedule
    let count = min(Self.previewed, training.count, AugmentationPreview.largestCount(of: training.imageShape))
    guard trainer.step == 0, !schedule.augmentation.isOff, count > 0 else { return }
    try add(
      EventTag.augmentation,
      AugmentationPreview.sheet(
        of: training, schedule.augmentation, seed: schedule.seed, count: count, epoch: 0))
  }

  private func add(_ tag: String, _ picture: PNGFile) throws(Failure) {
    log.addImage(
      tag, png: try picture.encoded(), width: picture.width, height: picture.height,
      channels: picture.color.rawValue, step: trainer.step)
  }

  private func flush(at now: Double) {
    flushed = now
    log.flush()
    guard !hasWarned, let failure = log.failure else { return }
    hasWarned = true
    warn("warning: \(failure.description)")
  }

  /// A table, as TensorBoard shows it.
  private static func markdown(_ settings: Settings) -> String {
    "| setting | value |\n| --- | --- |\n"
      + SettingsCatalog.settings.map { setting in
        "| \(setting.key) | \(setting.value(in: settings).split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")) |\n"
      }.joined()
  }
}
