import DataParallel
import Failures
import Reporting

/// Writes into a rank's log which steps it has made, and hands on what it is told.
final class LogObserver: TrainingObserver {
  private let log: RankLog
  private let next: (any TrainingObserver)?
  private var nextTime = 0.0
  private static let seconds = 2.0

  init(_ log: RankLog, next: (any TrainingObserver)? = nil) {
    self.log = log
    self.next = next
  }

  func trainingStarts() {
    log.write("training starts")
    next?.trainingStarts()
  }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) throws(Failure) {
    let now = monotonicSeconds()
    if now >= nextTime {
      nextTime = now + Self.seconds
      log.write("made step \(step) (epoch \(epoch + 1)), loss \(NumberText.loss(statistics.meanLoss))")
    }
    try next?.stepDone(step, epoch: epoch, statistics)
  }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) throws(Failure) {
    let errors = evaluation.map { ", \($0.errors) errors of \($0.samples)" } ?? ""
    log.write("epoch \(epoch + 1) is over after step \(step)\(errors)")
    try next?.epochDone(epoch, step: step, evaluation)
  }
}
