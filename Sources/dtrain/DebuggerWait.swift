import Arguments
import CStopRequest
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

/// Lets one rank of a live job wait for a debugger before it begins.
enum DebuggerWait {
  static let rank = Option<Int>(
    "wait-for-debugger", placeholder: "RANK", expectation: "a whole number of at least 0",
    help: "let this rank wait until a debugger is attached or SIGCONT comes; it says how to; no rank then gives up "
      + "waiting for another",
    read: { text in Int(text).flatMap { $0 >= 0 ? $0 : nil } })

  /// How long ranks wait for each other meanwhile: a person at a debugger takes time.
  static let timeoutSeconds = 604_800.0

  /// - Throws: `.usage` where there is no such rank; `.osError`.
  static func wait(_ waiting: Int, on communicator: any Communicator) throws(Failure) {
    guard waiting < communicator.size else {
      throw Failure(
        .usage, "--wait-for-debugger \(waiting): the job has the ranks 0 to \(communicator.size - 1)",
        remedy: "name one of them")
    }
    guard waiting == communicator.rank else { return }
    guard dtrain_continue_request_install() == 0 else {
      throw Failure(.osError, "SIGCONT cannot be caught", remedy: "report this with the system's name")
    }
    let process = getpid()
    TextOutput(descriptor: STDERR_FILENO, name: "standard error").writeLine(
      "\(Program.name): rank \(waiting) waits for a debugger: process \(process) on "
        + "\(communicator.hosts[waiting]); attach it with 'lldb -p \(process)' and say 'continue', or let the rank go on "
        + "with 'kill -CONT \(process)'")
    while !isTraced && dtrain_continue_request_is_set() == 0 { usleep(100_000) }
  }

  /// Whether a debugger holds this process, where the system tells.
  private static var isTraced: Bool {
    guard let file = fopen("/proc/self/status", "r") else { return false }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("TracerPid:") else { continue }
      return text.dropFirst(10).contains { $0 >= "1" && $0 <= "9" }
    }
    return false
  }
}
