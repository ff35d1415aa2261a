import CChildProcess
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `write`, which a member of that name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

/// A program that this process has started and that ends with it, whatever ends this process.
///
/// What it writes to standard error goes on to ours as it is, and is looked at line by line on the way. It has its own
/// process group, so a Ctrl-C at the terminal reaches this process alone.
final class ChildProcess {
  enum End: Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  var wasSignalled: Bool { if case .signalled = end { true } else { false } }

  let process: pid_t
  /// How it ended; nil while it runs.
  private(set) var end: End?
  private let errors: Int32
  private var unfinishedLine: [UInt8] = []

  /// - Parameters:
  ///   - arguments: the program, found on PATH, and its arguments.
  ///   - output: a descriptor for its standard output; -1 for ours.
  /// - Throws: `.unavailable` where there is no such program, `.osError` where it cannot be started.
  init(_ arguments: [String], output: Int32 = -1) throws(Failure) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Self.failure(arguments[0], errno) }
    // Nobody but the child may hold the writing end: it would never be closed.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    process = dtrain_child_start(&words, output, ends[1])
    let number = errno
    close(ends[1])
    errors = ends[0]
    guard process > 0 else {
      close(errors)
      throw Self.failure(arguments[0], number)
    }
  }

  deinit { close(errors) }

  /// Waits until it says something, it has ended, or some time has passed.
  ///
  /// - Parameter line: is told each line of its standard error.
  func wait(milliseconds: Int32, forwarding: Bool = true, line: (String) -> Void) {
    var descriptors = [pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
    // The end of the child closes the pipe, unless what it has started still holds it.
    if poll(&descriptors, 1, milliseconds) > 0 {
      let isAtEnd = !readErrors(forwarding: forwarding, line)
      if isAtEnd && end == nil { usleep(useconds_t(min(milliseconds, 20)) * 1000) }
    }
    look()
  }

  func signal(_ number: Int32) { if end == nil { kill(process, number) } }

  /// It and all that is in its process group.
  func killGroup() { if end == nil { kill(-process, SIGKILL) } }

  private func look() {
    guard end == nil else { return }
    var status: Int32 = 0
    guard waitpid(process, &status, WNOHANG) == process else { return }
    end = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
  }

  /// - Returns: false at the end of the pipe.
  private func readErrors(forwarding: Bool, _ line: (String) -> Void) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = read(errors, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { return true }
      if count == 0 { return false }
      if forwarding { Self.write(chunk[..<count]) }
      for byte in chunk[..<count] {
        if byte == UInt8(ascii: "\n") {
          line(String(decoding: unfinishedLine, as: UTF8.self))
          unfinishedLine.removeAll(keepingCapacity: true)
        } else if unfinishedLine.count < 4096 {
          unfinishedLine.append(byte)
        }
      }
    }
  }

  private static func write(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = systemWrite(STDERR_FILENO, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return }
        offset += count
      }
    }
  }

  private static func failure(_ program: String, _ number: Int32) -> Failure {
    number == ENOENT || number == EACCES
      ? Failure(
        .unavailable, "\(program) is not to be found or not to be started", remedy: "install Open MPI: launch/setup.sh")
      : Failure(
        .osError, "\(program) cannot be started: \(String(cString: strerror(number)))",
        remedy: "see whether the system has processes and memory left")
  }
}
