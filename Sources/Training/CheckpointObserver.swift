import Checkpoints
import Configuration
import DataParallel
import Failures
import NeuralNetwork
import Optimizers

/// Writes a run's checkpoints when they are due, on rank 0, and hands on what it is told.
///
/// A checkpoint at the end of an epoch is written before the evaluation: whoever ends the job during it costs nothing.
final class CheckpointObserver: TrainingObserver {
  private let next: any TrainingObserver
  private let writer: CheckpointWriter
  private let trainer: Trainer
  private let settings: Settings.Checkpoint
  private let stepsPerEpoch: Int
  private let totalSteps: Int
  private let prepare: () throws(Failure) -> Void
  private var lastWritten: Int

  /// - Parameters:
  ///   - writtenStep: the step whose state is in the store already; 0 where there is none.
  ///   - next: is told first.
  ///   - prepare: called before each checkpoint: what has to be on its way to the disk before.
  /// - Throws: `.osError` where there is no thread left to write.
  init(
    of trainer: Trainer, in store: CheckpointStore, settings: Settings, writtenStep: Int, next: any TrainingObserver,
    prepare: @escaping () throws(Failure) -> Void
  ) throws(Failure) {
    self.trainer = trainer
    let parameters = trainer.network.parameters
    self.settings = settings.checkpoint
    stepsPerEpoch = trainer.stepsPerEpoch
    totalSteps = trainer.totalSteps
    lastWritten = writtenStep
    self.next = next
    self.prepare = prepare
    writer = try CheckpointWriter(
      CheckpointWriter.Target(
        store: store, tensors: parameters.tensors, count: parameters.count, seed: settings.seed,
        configuration: settings.arithmeticText, stepsPerEpoch: stepsPerEpoch, keep: settings.checkpoint.keep,
        criterion: trainer.validation == nil ? .test : .validation, stateNames: trainer.keptStateNames))
    trainer.shards?.room = { [writer] () throws(Failure) in try writer.room() }
  }

  func trainingStarts() { next.trainingStarts() }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {
    try next.stepDone(step, epoch: epoch, statistics)
    if isDue(step) { try write(step) }
  }

  func ranksMeasured(_ times: [RankTimes], epoch: Int, step: Int) throws(Failure) {
    try next.ranksMeasured(times, epoch: epoch, step: step)
  }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure) {
    try next.epochDone(epoch, step: step, evaluation)
    if settings.keepBest, let evaluation { try writer.note(step: step, evaluation) }
  }

  /// Writes the state after this step, unless that has been done, and waits until it is on the disk.
  func writeAndWait(_ step: Int) throws(Failure) {
    try prepare()
    if step != lastWritten { try write(step) }
    try writer.finish()
  }

  /// Waits until all is on the disk. A run that has ended before its last step has its state written now.
  func finish() throws(Failure) {
    let isWanted = settings.everySteps > 0 || settings.everyEpochs > 0
    if isWanted && trainer.step < totalSteps && trainer.step != lastWritten { try write(trainer.step) }
    try writer.finish()
  }

  /// Ends the writing of checkpoints, also when the run has failed.
  func close() { writer.close() }

  private func write(_ step: Int) throws(Failure) {
    try InjectedFault.strike(.checkpoint, rank: 0, step: step)
    try prepare()
    try writer.write(
      step: step, best: trainer.best, parameters: trainer.network.parameters, states: trainer.keptStates)
    lastWritten = step
  }

  private func isDue(_ step: Int) -> Bool {
    let (steps, epochs) = (settings.everySteps, settings.everyEpochs)
    guard steps > 0 || epochs > 0 else { return false }
    let isEndOfEpoch = step % stepsPerEpoch == 0
    return steps > 0 && step % steps == 0 || epochs > 0 && isEndOfEpoch && step / stepsPerEpoch % epochs == 0
      || step == totalSteps
  }
}
