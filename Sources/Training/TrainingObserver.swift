import DataParallel
import Failures

/// Is told by a `Trainer` what happens, when it has happened. What an observer does not care for it leaves out.
public protocol TrainingObserver: AnyObject {
  /// The first step is next.
  func trainingStarts()

  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - epoch: from 0.
  ///   - statistics: over the global batch.
  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure)

  /// What the ranks did with the time of the epoch's steps, or of those since the run went on. Comes before `epochDone`,
  /// on rank 0 alone.
  ///
  /// - Parameter times: by rank.
  func ranksMeasured(_ times: [RankTimes], epoch: Int, step: Int) throws(Failure)

  /// An epoch is over, or the run is, in the middle of one.
  ///
  /// - Parameters:
  ///   - step: steps made.
  ///   - evaluation: of the test samples, if it was due.
  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure)
}

extension TrainingObserver {
  public func trainingStarts() {}
  public func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {}
  public func ranksMeasured(_ times: [RankTimes], epoch: Int, step: Int) throws(Failure) {}
  public func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure) {}
}
