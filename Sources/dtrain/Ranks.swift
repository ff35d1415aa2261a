import Arguments
import Checkpoints
import Communication
import Failures
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The ranks of this job: those that a launcher started, or threads of this process, or this process alone.
enum Ranks {
  static let replicas = Option(
    "replicas", in: 1...1024,
    help: "work with N ranks that are threads of this process, for debuggers and tests, instead of a launcher's")

  /// This process's number among those that a launcher has started; nil where it is alone.
  static var launchedRank: Int? {
    guard let launcher = Launcher.detect(), launcher.size != 1 else { return nil }
    return launcher.rank
  }

  /// - Throws: `.usage` where a launcher has started this process, though the command starts ranks itself.
  static func requireNoLauncher(for command: CommandSyntax) throws(Failure) {
    guard let launcher = Launcher.detect() else { return }
    throw Failure(
      .usage, "\(command.name) under \(launcher.name): it starts the ranks itself", remedy: "call it without a launcher"
    )
  }

  /// Runs the body on each rank of the job that this process is or holds.
  ///
  /// A failure of an MPI rank ends the whole job from here. The others are thrown, when all threads have ended. Where the
  /// ranks have agreed to stop (`.preempted`) each waits for the others before it leaves, so that rank 0 can write.
  static func run(
    replicas: Int?, timeoutSeconds: Double, _ body: @escaping @Sendable (any Communicator) throws(Failure) -> Void
  ) throws(Failure) {
    let timeout = Duration.milliseconds(timeoutSeconds * 1000)
    if let launcher = Launcher.detect() {
      guard replicas == nil else {
        throw Failure(
          .usage, "--replicas under \(launcher.name), which has started the ranks already", remedy: "leave it out")
      }
      try runMPI(launcher, timeout: timeout, body)
    } else if let replicas {
      _ = try InProcessReplicas.run(count: replicas, timeout: timeout) { (communicator) throws(Failure) in
        do throws(Failure) {
          try body(communicator)
          try communicator.finish()
        } catch {
          if error.code == .preempted {
            try communicator.finish()
            throw error
          }
          throw replicas == 1
            ? error : Failure(error.code, "rank \(communicator.rank): \(error.cause)", remedy: error.remedy)
        }
      }
    } else {
      try body(SingleProcess())
    }
  }

  /// Ends the job from the rank that failed, since the others may be waiting for it.
  private static func runMPI(
    _ launcher: Launcher, timeout: Duration, _ body: (any Communicator) throws(Failure) -> Void
  ) throws(Failure) {
    if let rank = launcher.rank { try InjectedFault.strike(.start, rank: rank) }
    let communicator = try MPICommunicator(launcher: launcher, timeout: timeout)
    do throws(Failure) {
      try communicator.agree(
        on: ProgramFile.digest().bytes, what: "build of the program", phase: Phase("comparison of the programs"))
      if communicator.rank == 0, LaunchMark.ofThisProcess != nil {
        TextOutput(descriptor: STDERR_FILENO, name: "standard error").writeLine(
          "\(Program.name): \(LaunchMark.startedLine)")
      }
      try body(communicator)
      try communicator.finish()
    } catch {
      if error.code == .preempted {
        // Before the others may leave: the first to be gone has the launcher end the rest.
        if communicator.rank == 0 { LastWords.say(error, rank: nil) }
        try communicator.finish()
        exit(error.code.rawValue)
      }
      LastWords.end(error, rank: communicator.size > 1 ? communicator.rank : nil, abort: communicator.abort)
    }
  }
}
