import Checkpoints
import Failures
import Launching

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One mpirun that is waited for and not started again: how it ended, and what was said.
public struct MPIJob: Sendable {
  /// mpirun's exit code; that of `ExitCode.failure` where a signal has ended it.
  public let code: Int32
  /// What the first rank that failed said, or what happened in words; nil where nothing is known.
  public let reason: String?

  /// Starts a program on this host, or where mpirun's options say, and waits. It ends with this process.
  ///
  /// What it writes is looked at and goes no further.
  ///
  /// - Parameters:
  ///   - options: further options of mpirun.
  ///   - command: the program and its arguments.
  ///   - program: what begins the ranks' own lines.
  ///   - signal: asked some times a second; what it answers is sent to mpirun.
  /// - Throws: `.unavailable` where there is no mpirun, `.osError` where it cannot be started or leaves ranks behind.
  public static func run(
    ranks: Int, options: [String] = [], command: [String], program: String, signal: () -> Int32? = { nil }
  ) throws(Failure) -> MPIJob {
    let mpirun = MPIRun(hosts: nil, options: options)
    mpirun.prepareEnvironment()
    let launch = LaunchMark.newLaunch()
    setenv(LaunchMark.variable, LaunchMark(launch: launch, start: 1).description, 1)
    defer { unsetenv(LaunchMark.variable) }
    let process = try ChildProcess(mpirun.arguments(ranks: ranks, command), hearsOutput: true)
    var account = JobAccount(program: program)
    var ownLine: String?
    func read(_ line: String) {
      account.read(line)
      // A rank alone says no number.
      guard line.hasPrefix("\(program): "), !line.hasSuffix(LaunchMark.startedLine) else { return }
      if ownLine == nil { ownLine = String(line.dropFirst(program.utf8.count + 2)) }
    }
    while process.end == nil {
      process.wait(milliseconds: 100, forward: { _ in [] }, line: read)
      if let number = signal() { process.signal(number) }
    }
    process.wait(milliseconds: 0, forward: { _ in [] }, line: read)
    try JobProcesses.endLastJob(of: launch)
    let reason = ownLine ?? account.sentence
    if case .exited(let code) = process.end { return MPIJob(code: code, reason: reason) }
    return MPIJob(code: ExitCode.failure.rawValue, reason: reason ?? "mpirun was ended by a signal")
  }
}
