#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// When this process was started, as the kernel noted it.
public enum ProcessStart {
  /// How exactly the kernel says it, in seconds: a tick of its clock, 0.01 on Linux.
  public static let resolution = 1 / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))

  /// The number by which the system knows this process.
  public static var processNumber: Int { Int(getpid()) }

  /// Seconds since the process was started, from 0 to `resolution` too many; nil where the system does not tell.
  ///
  /// The start is the `exec` or `fork` that made the process: loading the program and its libraries counts, what a
  /// shell or a launcher did before does not.
  public static func elapsedSeconds() -> Double? {
    #if os(Linux)
      guard let ticks = readFile("/proc/self/stat").flatMap(startTicks) else { return nil }
      var now = timespec()
      guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
      return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 - Double(ticks) * resolution
    #else
      return nil
    #endif
  }

  /// The 22nd field of `/proc/PID/stat` (see proc(5)), in ticks since the system's start. The second one, the program's
  /// name in parentheses, may hold blanks and parentheses itself.
  static func startTicks(_ status: String) -> UInt64? {
    guard let end = status.lastIndex(of: ")") else { return nil }
    let fields = status[status.index(after: end)...].split(whereSeparator: \.isWhitespace)
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }
}

/// The text of a file that the kernel makes up when it is read, and whose size is not known before.
func readFile(_ path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &block, block.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { return nil }
    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
    bytes += block[..<count]
  }
}
