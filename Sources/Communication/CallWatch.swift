import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ends the process, with a line that says why, unless it is cancelled in time: for calls that know no deadline.
struct CallWatch {
  private final class State: @unchecked Sendable {  // Unchecked: `isDone` is used under the monitor alone.
    let monitor = Monitor(conditions: 1)
    var isDone = false
  }

  private let state = State()
  private let thread: PosixThread

  /// - Parameters:
  ///   - line: what is said on standard error before the end; nil for nothing.
  ///   - code: the exit code of the process.
  /// - Throws: `.osError` where there is no thread left.
  init(timeout: Duration, line: String?, code: ExitCode = .failure) throws(Failure) {
    let state = state
    let text = line.map { "dtrain: \($0)\n" }
    thread = try PosixThread(stackBytes: 256 << 10) {
      let deadline = monotonicNanoseconds() + timeout.nanoseconds
      state.monitor.lock()
      defer { state.monitor.unlock() }
      while !state.isDone {
        if state.monitor.wait(on: 0, until: deadline) { continue }
        if state.isDone { return }
        text?.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
        _exit(code.rawValue)
      }
    }
  }

  /// To be called when the call has returned.
  func cancel() {
    state.monitor.lock()
    state.isDone = true
    state.monitor.signal(0)
    state.monitor.unlock()
    thread.join()
  }
}
