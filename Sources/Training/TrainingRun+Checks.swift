import Checkpoints
import Communication
import Failures
import Reporting

/// What a run does besides, to be looked into.
extension TrainingRun {
  /// This rank's log, with what there is to say of the rank; nil where none is asked for.
  func openLog(_ communicator: any Communicator) throws(Failure) -> RankLog? {
    guard let logFolder else { return nil }
    try RunDirectory.makeFolders(logFolder)
    let log = try RankLog(folder: logFolder, rank: communicator.rank)
    log.write(
      "\(program), rank \(communicator.rank) of \(communicator.summary), process \(ProcessStart.processNumber) on "
        + communicator.hosts[communicator.rank])
    return log
  }

  /// - Throws: `.usage` where what is asked for cannot be.
  func prepareChecks(_ trainer: Trainer, _ communicator: any Communicator) throws(Failure) {
    if let bitFlip {
      guard bitFlip.rank < communicator.size, bitFlip.index < trainer.network.parameters.count,
        (1...trainer.totalSteps).contains(bitFlip.step)
      else {
        throw Failure(
          .usage,
          "\(BitFlip.variable) names rank \(bitFlip.rank), step \(bitFlip.step), number \(bitFlip.index): the "
            + "job has \(communicator.size) ranks from 0, \(trainer.totalSteps) steps from 1 and "
            + "\(trainer.network.parameters.count) parameters from 0", remedy: "name what there is, or unset it")
      }
      trainer.bitFlip = bitFlip
    }
    if let recordedStep {
      guard recordedStep <= trainer.totalSteps else {
        throw Failure(
          .usage, "--record-gradients \(recordedStep): the run ends after step \(trainer.totalSteps)",
          remedy: "name a step that it makes")
      }
      trainer.recordGradients(ofStep: recordedStep) { _ in }
    }
  }

  /// Rank 0's part of what `prepareChecks` has begun.
  func prepareRecording(_ trainer: Trainer, _ files: RunDirectory) throws(Failure) {
    guard let recordedStep else { return }
    guard recordedStep > trainer.step else {
      throw Failure(
        .usage, "--record-gradients \(recordedStep): the run goes on after step \(trainer.step)",
        remedy: "name a step that it makes")
    }
    let path = files.gradients(ofStep: recordedStep)
    trainer.recordGradients(ofStep: recordedStep) { (records) throws(Failure) in
      try AtomicFile.write(records.map(\.line).joined(), to: path)
    }
  }
}
