import Failures
import Launching

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One mpirun with its ranks, from its start until nothing of it is left on this host.
final class Job {
  enum Outcome: Equatable {
    case finished
    /// The ranks were asked to stop and have written their state.
    case preempted
    /// With this exit code.
    case failed(Int32)
  }

  struct End {
    let outcome: Outcome
    let account: JobAccount
    /// What happened, in words.
    let sentence: String
    /// Whether ranks on other hosts may not have heard of the end.
    let hasLostTouch: Bool
    /// When the first sign of the end was seen.
    let firstSign: ContinuousClock.Instant
  }

  /// Why mpirun is ended, in words.
  private enum Cut: String {
    case doesNotEnd = "does not end the job by itself"
    case doesNotStart = "does not bring up all ranks"
  }

  private let launch: String
  private let weights: String
  private let weightsBefore: FileState?
  private let mpirun: ChildProcess
  private var account: JobAccount
  private var words = MPIWords()
  /// When the ranks have to have started: mpirun goes on waiting for a daemon, or a rank, that was lost on the way.
  private let startDeadline: ContinuousClock.Instant

  /// How long mpirun may take to end a job after it has told why. It never does where a host is out of reach.
  private static let endPatience = Duration.seconds(5)
  /// From one request to stop to the next: one that comes before the ranks do is lost.
  private static let requestInterval = Duration.seconds(2)

  /// Starts it.
  ///
  /// - Parameters:
  ///   - weights: the file that a run leaves when it is over. Exit codes alone do not tell: mpirun answers 0 for some
  ///     ends that are none.
  ///   - startSeconds: how long it may take until all ranks have started.
  init(
    _ command: [String], launch: String, weights: String, startSeconds: Double, program: String
  ) throws(Failure) {
    self.launch = launch
    self.weights = weights
    weightsBefore = FileState(of: weights)
    account = JobAccount(program: program)
    startDeadline = ContinuousClock.now + .milliseconds(Int(startSeconds * 1000))
    mpirun = try ChildProcess(command)
  }

  /// - Parameter say: is told what a person should know meanwhile.
  /// - Throws: `.osError` where processes of the job cannot be ended.
  func run(isStopRequested: () -> Bool, say: (String) -> Void) throws(Failure) -> End {
    var nextRequest: ContinuousClock.Instant?
    var firstSign: ContinuousClock.Instant?
    var cut: Cut?
    while mpirun.end == nil {
      listen(milliseconds: 50)
      let now = ContinuousClock.now
      if isStopRequested(), now >= nextRequest ?? now {
        if nextRequest == nil { say("asked to stop; the ranks write their state") }
        nextRequest = now + Self.requestInterval
        mpirun.signal(SIGUSR1)
      }
      if account.isOver, firstSign == nil { firstSign = now }
      guard mpirun.end == nil, let due = dueCut(firstSign: firstSign, now: now) else { continue }
      if cut == nil { say("mpirun \(due.rawValue), and is ended") }
      cut = cut ?? due
      mpirun.killGroup()
    }
    // What was written and not read yet.
    listen(milliseconds: 0)
    ChildProcess.write(words.rest()[...])
    try JobProcesses.endLastJob(of: launch)
    let (outcome, sentence) = outcome(cut)
    return End(
      outcome: outcome, account: account, sentence: sentence,
      hasLostTouch: mpirun.wasSignalled || !account.lostHosts.isEmpty, firstSign: firstSign ?? ContinuousClock.now)
  }

  /// Why mpirun has to be ended now; nil while it need not be.
  private func dueCut(firstSign: ContinuousClock.Instant?, now: ContinuousClock.Instant) -> Cut? {
    if let firstSign { return now >= firstSign + Self.endPatience ? .doesNotEnd : nil }
    return !account.hasStarted && now >= startDeadline ? .doesNotStart : nil
  }

  private func listen(milliseconds: Int32) {
    mpirun.wait(milliseconds: milliseconds, forward: { words.pass($0) }, line: { account.read($0) })
  }

  /// How it ended, and what happened, in words.
  private func outcome(_ cut: Cut?) -> (Outcome, String) {
    switch mpirun.end {
    case _ where cut == .doesNotStart: return (.failed(ExitCode.failure.rawValue), "the ranks did not start")
    case .exited(0) where FileState(of: weights) != weightsBefore: return (.finished, "the run is over")
    case .exited(ExitCode.preempted.rawValue): return (.preempted, "the ranks have stopped as asked")
    case .exited(let code):
      let told = account.sentence ?? "mpirun ended"
      return (.failed(code), account.tellsCode || code == 0 ? told : "\(told) with code \(code)")
    case .signalled(let signal):
      let told = cut == nil ? nil : account.sentence
      return (.failed(ExitCode.failure.rawValue), told ?? "mpirun was ended by signal \(signal)")
    case nil: return (.failed(ExitCode.failure.rawValue), "mpirun ended")
    }
  }
}

/// Tells whether a file has been replaced.
private struct FileState: Equatable {
  let inode: UInt64
  let seconds: Int
  let nanoseconds: Int

  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    inode = UInt64(status.st_ino)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }
}
