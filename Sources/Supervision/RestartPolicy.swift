import Failures

/// Whether and when a job that failed is started again.
///
/// Only starts that bring nothing count: a run that loses a rank every hour and writes a checkpoint every ten minutes
/// comes to its end. Whoever wrote none since the last failure waits longer each time, and is given up in the end.
struct RestartPolicy {
  enum Decision: Equatable {
    /// Start again after a pause.
    case restart(pauseMilliseconds: Int, fruitless: Int)
    /// It would come to the same again.
    case giveUp(reason: String)
  }

  /// How often in a row a job is started again without a new checkpoint.
  let maximumRestarts: Int
  let firstPauseMilliseconds: Int
  private var fruitless = 0
  private var lastMessage: String?

  private static let longestPauseMilliseconds = 60_000

  init(maximumRestarts: Int, firstPauseMilliseconds: Int) {
    self.maximumRestarts = maximumRestarts
    self.firstPauseMilliseconds = firstPauseMilliseconds
  }

  /// - Parameters:
  ///   - code: what the job ended with.
  ///   - message: the failure that a rank told, if any.
  ///   - hasProgressed: whether there is a newer checkpoint than when the job was started.
  mutating func decide(code: Int32, message: String?, hasProgressed: Bool) -> Decision {
    if Self.repeats(code) {
      return .giveUp(reason: "starting again would not mend it")
    }
    if hasProgressed { fruitless = 0 }
    if !hasProgressed, code == ExitCode.failure.rawValue, let message, message == lastMessage {
      return .giveUp(reason: "the same happened twice")
    }
    lastMessage = message
    guard fruitless < maximumRestarts else {
      return .giveUp(
        reason: maximumRestarts == 0
          ? "no restart is allowed" : "\(fruitless) restarts in a row have brought no new checkpoint")
    }
    let pause = min(Self.longestPauseMilliseconds, firstPauseMilliseconds << min(fruitless, 16))
    fruitless += 1
    return .restart(pauseMilliseconds: pause, fruitless: fruitless)
  }

  /// Whether an error comes from what stays the same: command line, settings, data, machine, program.
  static func repeats(_ code: Int32) -> Bool {
    switch ExitCode(rawValue: code) {
    case .usage, .badData, .noInput, .unavailable, .software, .cannotCreate, .noPermission, .configuration: true
    case .success, .failure, .osError, .inputOutput, .preempted, nil: false
    }
  }
}
