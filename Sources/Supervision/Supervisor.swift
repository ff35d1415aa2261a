import Checkpoints
import Failures
import Launching
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Starts the ranks of a run under mpirun, and starts them again from the newest checkpoint when they fail, until the
/// run is over.
///
/// To be used on the main thread: the job ends with the thread that has started it.
public final class Supervisor {
  public struct Plan: Sendable {
    public var ranks: Int
    /// With fewer than these the run does not go on.
    public var minimumRanks: Int
    /// In a row, without a new checkpoint.
    public var maximumRestarts: Int
    /// Before the first restart in a row; it doubles from one to the next.
    public var firstPauseMilliseconds: Int
    public var hosts: [HostSlots]?
    public var mpirunOptions: [String]
    /// The program and its arguments, without a run directory and a checkpoint to go on from.
    public var command: [String]
    /// The checkpoint that the first job goes on from, as `--resume` takes it.
    public var resume: String?
    public var directory: RunDirectory
    /// How long a rank waits for another.
    public var timeoutSeconds: Double
    /// How long mpirun may take to start the ranks, besides.
    public var startSeconds: Double
    /// The name before the lines of standard error.
    public var program: String
    /// How the lines of standard error are written.
    public var messages: MessageFormat
    /// The command that has started this, to be pasted, without a run directory and a checkpoint to go on from.
    public var commandAgain: String

    public init(
      ranks: Int, minimumRanks: Int, maximumRestarts: Int, firstPauseMilliseconds: Int, hosts: [HostSlots]?,
      mpirunOptions: [String], command: [String], resume: String?, directory: RunDirectory, timeoutSeconds: Double,
      startSeconds: Double, program: String, messages: MessageFormat, commandAgain: String
    ) {
      self.ranks = ranks
      self.minimumRanks = minimumRanks
      self.maximumRestarts = maximumRestarts
      self.firstPauseMilliseconds = firstPauseMilliseconds
      self.hosts = hosts
      self.mpirunOptions = mpirunOptions
      self.command = command
      self.resume = resume
      self.directory = directory
      self.timeoutSeconds = timeoutSeconds
      self.startSeconds = startSeconds
      self.program = program
      self.messages = messages
      self.commandAgain = commandAgain
    }

    /// The command that goes on with the run.
    var goingOn: String { "\(commandAgain) --run-dir \(ShellText.quoted(directory.path)) --resume auto" }
  }

  private let plan: Plan
  private let isStopRequested: () -> Bool
  private let store: CheckpointStore
  private let launch = LaunchMark.newLaunch()
  private let errors: TextOutput
  private var policy: RestartPolicy
  private var starts = 0

  /// How long the lock of a job that is ending is waited for, in seconds: that of a launch that was killed.
  private static let lockPatience = 15
  /// How long the ranks of a launch that was killed have for writing their state, in seconds.
  private static let abandonedPatience = 5.0
  /// How much longer than for each other ranks that are out of reach are waited for.
  private static let farPatience = Duration.seconds(5)

  /// - Parameter isStopRequested: asked many times a second; once it answers true the ranks are asked to stop.
  public init(_ plan: Plan, isStopRequested: @escaping () -> Bool) {
    self.plan = plan
    self.isStopRequested = isStopRequested
    errors = TextOutput(descriptor: STDERR_FILENO, name: "standard error", format: plan.messages)
    store = CheckpointStore(folder: plan.directory.checkpoints)
    policy = RestartPolicy(
      maximumRestarts: plan.maximumRestarts, firstPauseMilliseconds: plan.firstPauseMilliseconds)
  }

  /// Returns when the run is over.
  ///
  /// - Throws: `.preempted` where it was asked to stop, with the checkpoint that it can go on from; what the job failed
  ///   with where it is given up.
  public func run() throws(Failure) {
    let (lock, abandoned) = try RunLock.acquireLaunch(plan.directory, launch: launch)
    defer { lock.release() }
    if let abandoned { try endAbandoned(abandoned) }
    try waitForEarlierJob()
    MPIRun(hosts: plan.hosts, options: plan.mpirunOptions).prepareEnvironment()
    var (ranks, hosts) = (plan.ranks, plan.hosts)
    while true {
      guard !isStopRequested() else { throw stopped() }
      let stepBefore = newestStep
      let end = try startJob(ranks: ranks, hosts: hosts)
      let sentence = end.sentence
      switch end.outcome {
      case .finished:
        say("finished\(starts > 1 ? " at start \(starts)" : "")")
        return
      case .preempted: throw stopped()
      case .failed(let code):
        if isStopRequested(), !RestartPolicy.repeats(code) { throw stopped(although: sentence) }
        let hasProgressed = newestStep ?? 0 > stepBefore ?? 0
        let decision = policy.decide(code: code, message: end.account.ownFailure?.message, hasProgressed: hasProgressed)
        switch decision {
        case .giveUp(let reason): throw gaveUp(code, sentence, reason)
        case .restart(let pause, let fruitless):
          let state = newestStep.map { "from the checkpoint of step \($0)" } ?? "from the beginning"
          say(
            "\(sentence); starting again \(state) in \(Double(pause) / 1000) s (restart \(fruitless) of at most "
              + "\(plan.maximumRestarts) without a new checkpoint)")
          try pass(milliseconds: pause)
          (ranks, hosts) = try choosePlaces(after: end.account, lastTime: ranks)
        }
      }
    }
  }

  // MARK: - A job

  private func startJob(ranks: Int, hosts: [HostSlots]?) throws(Failure) -> Job.End {
    starts += 1
    setenv(LaunchMark.variable, LaunchMark(launch: launch, start: starts).description, 1)
    // A fault that was asked for strikes once.
    if starts > 1 { unsetenv(InjectedFault.variable) }
    var command = plan.command + ["--run-dir", plan.directory.path]
    // Without a checkpoint a run that began begins again: what an earlier one has left in its folder is not its.
    if starts > 1, newestStep != nil {
      command += ["--resume", "auto"]
    } else if let resume = plan.resume {
      command += ["--resume", resume]
    }
    let words = MPIRun(hosts: hosts, options: plan.mpirunOptions).arguments(ranks: ranks, command)
    let job = try Job(
      words, launch: launch, weights: plan.directory.weights, startSeconds: plan.startSeconds + plan.timeoutSeconds,
      program: plan.program)
    let end = try job.run(isStopRequested: isStopRequested) { say($0) }
    if end.hasLostTouch, plan.hosts != nil { waitForFarRanks(since: end.firstSign) }
    return end
  }

  /// Where a host is out of reach its ranks may still run: they end when they have waited for the others in vain.
  private func waitForFarRanks(since sign: ContinuousClock.Instant) {
    let end = sign + .milliseconds(Int(plan.timeoutSeconds * 1000)) + Self.farPatience
    let rest = Int((end - ContinuousClock.now) / .milliseconds(1))
    guard rest > 0, isHeld else { return }
    say("waiting up to \(rest / 1000 + 1) s for ranks that are out of reach")
    try? pass(milliseconds: rest) { !self.isHeld }
  }

  /// Whether the lock of the run names a process that is not known to be gone.
  private var isHeld: Bool { (try? RunLock.refusal(plan.directory)) ?? nil != nil }

  /// A launch that was killed has left ranks behind: mpirun has been told to end them, which takes it a second or two.
  private func endAbandoned(_ launch: String) throws(Failure) {
    guard !JobProcesses.running(of: launch).isEmpty else { return }
    say("an earlier launch of this run was killed; waiting until its ranks are gone")
    let rest = JobProcesses.end(of: launch, patience: Self.abandonedPatience)
    guard rest.isEmpty else {
      throw Failure(
        .cannotCreate, "processes \(rest.map(String.init).joined(separator: ", ")) of an earlier launch do not end",
        remedy: "see what holds them up (a disk that does not answer?), and start again when they are gone")
    }
  }

  private func waitForEarlierJob() throws(Failure) {
    guard let refusal = try RunLock.refusal(plan.directory) else { return }
    say("\(refusal.cause); waiting up to \(Self.lockPatience) s for it")
    for _ in 0..<Self.lockPatience * 10 {
      guard !isStopRequested() else { throw stopped() }
      usleep(100_000)
      if try RunLock.refusal(plan.directory) == nil { return }
    }
    throw refusal
  }

  // MARK: - Hosts

  /// Those that mpirun can start a program on.
  private func reachable(_ hosts: [HostSlots]) -> [HostSlots] {
    let probes = hosts.map { host in
      (host, Result { () throws(Failure) in try ChildProcess(MPIRun.probe(host, options: plan.mpirunOptions)) })
    }
    let deadline = ContinuousClock.now + .seconds(10)
    var answering: [HostSlots] = []
    for (host, probe) in probes {
      guard let probe = try? probe.get() else { continue }
      while probe.end == nil, ContinuousClock.now < deadline, !isStopRequested() {
        probe.wait(milliseconds: 50, forward: { _ in [] }, line: { _ in })
      }
      if probe.end == .exited(0) { answering.append(host) } else { probe.killGroup() }
    }
    _ = JobProcesses.end(of: launch)
    return answering
  }

  /// How many ranks the next job has, and where. Waits for hosts to come back where too few are left.
  private func choosePlaces(
    after account: JobAccount, lastTime: Int
  ) throws(Failure) -> (ranks: Int, hosts: [HostSlots]?) {
    guard let all = plan.hosts else {
      // How many slots there are mpirun does not say.
      let ranks = account.lacksSlots ? lastTime - 1 : lastTime
      guard ranks >= plan.minimumRanks else { throw tooFew("fewer than \(plan.minimumRanks) ranks have a slot") }
      return (ranks, nil)
    }
    while true {
      let hosts = reachable(all)
      let ranks = min(plan.ranks, hosts.reduce(0) { $0 + $1.slots })
      let missing = all.filter { !hosts.contains($0) }.map(\.host).joined(separator: ", ")
      if ranks >= plan.minimumRanks {
        if ranks != lastTime {
          say("going on with \(ranks) ranks" + (missing.isEmpty ? "" : ", since \(missing) cannot be reached"))
        }
        return (ranks, hosts)
      }
      let reason = "\(missing) cannot be reached, and the other hosts have \(ranks) slots"
      switch policy.decide(code: ExitCode.failure.rawValue, message: nil, hasProgressed: false) {
      case .giveUp: throw tooFew(reason)
      case .restart(let pause, _):
        say("\(reason); looking again in \(Double(pause) / 1000) s")
        try pass(milliseconds: pause)
      }
    }
  }

  private func tooFew(_ reason: String) -> Failure {
    Failure(
      .failure, "gave up: \(reason), where the run is to have at least \(plan.minimumRanks)\(newestText)",
      remedy: "bring the hosts back or lower --min-ranks, and go on with: \(plan.goingOn)")
  }

  // MARK: - Words

  private var newestStep: Int? { (try? store.steps())?.last }

  private var newestText: String { newestStep.map { "; the newest checkpoint is of step \($0)" } ?? "" }

  private func say(_ text: String) { errors.writeLine("\(plan.program): launch: \(text)") }

  private func stopped(although sentence: String? = nil) -> Failure {
    let why = sentence.map { ", though \($0) before the state was written" } ?? ""
    return Failure(
      .preempted, "stopped as asked\(why)\(newestText)",
      remedy: "go on with: \(plan.goingOn)")
  }

  private func gaveUp(_ code: Int32, _ sentence: String, _ reason: String) -> Failure {
    Failure(
      ExitCode(rawValue: code) ?? .failure, "gave up: \(sentence), and \(reason)\(newestText)",
      remedy: "see what the ranks said above")
  }

  /// Lets time pass.
  ///
  /// - Throws: `.preempted` when the run is asked to stop meanwhile.
  private func pass(milliseconds: Int, until isOver: () -> Bool = { false }) throws(Failure) {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while ContinuousClock.now < end, !isOver() {
      guard !isStopRequested() else { throw stopped() }
      usleep(20_000)
    }
  }
}
