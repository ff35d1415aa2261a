import CChildProcess
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// What members of these names hide.
private func systemPipe(_ ends: inout [Int32]) -> Int32 { pipe(&ends) }

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

/// A program that this process has started and that ends with it, whatever ends this process.
///
/// It is listened to, and has its own process group, so a Ctrl-C at the terminal reaches this process alone.
public final class ChildProcess {
  public enum End: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  public var wasSignalled: Bool { if case .signalled = end { true } else { false } }

  private let process: pid_t
  /// How it ended; nil while it runs.
  public private(set) var end: End?
  private let pipe: Int32
  private var unfinishedLine: [UInt8] = []

  /// - Parameters:
  ///   - arguments: the program, found on PATH, and its arguments.
  ///   - environment: all of it; nil: this process's.
  ///   - hearsOutput: whether its standard output is listened to, and not its standard error alone.
  /// - Throws: `.unavailable` where there is no such program, `.osError` where it cannot be started.
  public init(
    _ arguments: [String], environment: [String: String]? = nil, hearsOutput: Bool = false
  ) throws(Failure) {
    var ends: [Int32] = [0, 0]
    guard systemPipe(&ends) == 0 else { throw Self.failure(arguments[0], errno) }
    // Nobody but the child may hold the writing end: it would never be closed.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    var words = arguments.map { strdup($0) } + [nil]
    var variables = (environment ?? [:]).map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + variables { free(text) } }
    let output = hearsOutput ? ends[1] : -1
    process =
      environment == nil
      ? dtrain_child_start(&words, nil, output, ends[1]) : dtrain_child_start(&words, &variables, output, ends[1])
    let number = errno
    close(ends[1])
    pipe = ends[0]
    guard process > 0 else {
      close(pipe)
      throw Self.failure(arguments[0], number)
    }
  }

  deinit { close(pipe) }

  /// Waits until it says something, it has ended, or some time has passed.
  ///
  /// - Parameters:
  ///   - forward: what of it goes on to our standard error.
  ///   - line: is told each line of it.
  public func wait(
    milliseconds: Int32, forward: (ArraySlice<UInt8>) -> [UInt8], line: (String) -> Void
  ) {
    wait(milliseconds: milliseconds) { chunk in
      Self.write(forward(chunk)[...])
      for byte in chunk {
        if byte == UInt8(ascii: "\n") {
          line(String(decoding: unfinishedLine, as: UTF8.self))
          unfinishedLine.removeAll(keepingCapacity: true)
        } else if unfinishedLine.count < 4096 {
          unfinishedLine.append(byte)
        }
      }
    }
  }

  func wait(milliseconds: Int32, taking take: (ArraySlice<UInt8>) -> Void) {
    var descriptors = [pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)]
    // The end of the child closes the pipe, unless what it has started still holds it.
    if poll(&descriptors, 1, milliseconds) > 0 {
      let isAtEnd = !read(take)
      if isAtEnd && end == nil { usleep(useconds_t(min(milliseconds, 20)) * 1000) }
    }
    look()
  }

  public func signal(_ number: Int32) { if end == nil { kill(process, number) } }

  /// It and all that is in its process group.
  public func killGroup() { if end == nil { kill(-process, SIGKILL) } }

  private func look() {
    guard end == nil else { return }
    var status: Int32 = 0
    guard waitpid(process, &status, WNOHANG) == process else { return }
    end = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
  }

  /// - Returns: false at the end of the pipe.
  private func read(_ take: (ArraySlice<UInt8>) -> Void) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = systemRead(pipe, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { return true }
      if count == 0 { return false }
      take(chunk[..<count])
    }
  }

  /// To our standard error.
  public static func write(_ bytes: ArraySlice<UInt8>) {
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
