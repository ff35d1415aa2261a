import Communication
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A program that is started, listened to, and ended where it takes too long.
struct ChildProcess {
  enum End: Equatable {
    case exited(Int32)
    case signaled(Int32)
    case tookTooLong
  }

  let end: End
  /// What it wrote to standard output and to standard error, in the order in which it came.
  let output: String

  /// Starts a program and waits for it. It is the head of a process group of its own, which is ended with it.
  ///
  /// - Parameters:
  ///   - arguments: the program's path first.
  ///   - environment: all of it.
  ///   - seconds: the time allowed.
  /// - Throws: `.osError` where it cannot be started.
  static func run(
    _ arguments: [String], environment: [String: String], seconds: Double
  ) throws(Failure) -> ChildProcess {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw cannotStart(arguments, errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let process: pid_t
    do throws(Failure) {
      process = try spawn(arguments, environment, output: ends[1])
    } catch {
      close(ends[1])
      throw error
    }
    close(ends[1])

    let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
    let (text, isComplete) = listen(ends[0], until: deadline)
    let status = isComplete ? wait(for: process, until: deadline) : nil
    if let status { return ChildProcess(end: end(status), output: text) }
    // mpirun takes its ranks down when it is asked to end, and leaves them where it is killed.
    kill(process, SIGTERM)
    if wait(for: process, until: monotonicNanoseconds() + 5_000_000_000) == nil {
      kill(-process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
    }
    return ChildProcess(end: .tookTooLong, output: text)
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String: String], output: Int32
  ) throws(Failure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    // This program ignores broken pipes; what it starts should not inherit that.
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))

    var words = arguments.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, arguments[0], &actions, &attributes, &words, &variables)
    guard error == 0 else { throw cannotStart(arguments, error) }
    return process
  }

  /// - Returns: what came, and whether that is all.
  private static func listen(_ descriptor: Int32, until deadline: UInt64) -> (String, isComplete: Bool) {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let now = monotonicNanoseconds()
      guard now < deadline else { return (String(decoding: bytes, as: UTF8.self), false) }
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, Int32(min((deadline - now) / 1_000_000 + 1, 1000))) > 0 else { continue }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return (String(decoding: bytes, as: UTF8.self), true) }
      if bytes.count < 1 << 20 { bytes += buffer[..<count] }
    }
  }

  /// - Returns: how it ended, in the system's form; nil where it runs on.
  private static func wait(for process: pid_t, until deadline: UInt64) -> Int32? {
    var status: Int32 = 0
    repeat {
      if waitpid(process, &status, WNOHANG) == process { return status }
      usleep(5_000)
    } while monotonicNanoseconds() < deadline
    return nil
  }

  private static func end(_ status: Int32) -> End {
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signaled(signal)
  }

  private static func cannotStart(_ arguments: [String], _ number: Int32) -> Failure {
    Failure(
      .osError, "\(arguments.first ?? "a program") cannot be started: \(String(cString: strerror(number)))",
      remedy: "see whether it runs by itself")
  }
}
