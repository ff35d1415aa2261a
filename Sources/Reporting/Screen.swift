#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The terminal on which a person sees what a process writes, however it gets there.
///
/// `mpirun` gives rank 0 a terminal without a size, wherever its own output goes. What counts is where that goes, which
/// Linux tells in `/proc`.
final class Screen {
  /// What it can show, its width aside.
  let terminal: Terminal
  private let descriptor: Int32
  private let isOwn: Bool

  /// Nil where the text goes to no terminal on which a line can be rewritten.
  init?(behind descriptor: Int32, environment: (String) -> String? = environmentVariable) {
    guard isatty(descriptor) == 1, let size = Terminal.size(descriptor), !Terminal.isDumb(environment) else {
      return nil
    }
    if size.rows > 0, size.columns > 0 {
      self.descriptor = descriptor
      isOwn = false
    } else if let output = Self.launcherOutput() {
      self.descriptor = output
      isOwn = true
    } else {
      return nil
    }
    terminal = Terminal(columns: Terminal.size(self.descriptor)?.columns ?? 0, environment: environment)
  }

  deinit { if isOwn { close(descriptor) } }

  /// As wide as it is now: windows change.
  var current: Terminal {
    var terminal = terminal
    if let size = Terminal.size(descriptor), size.columns > 0 { terminal.columns = size.columns }
    return terminal
  }

  /// The terminal to which the launcher above this process writes, opened anew.
  private static func launcherOutput() -> Int32? {
    var process = Int(getppid())
    // Between them there may be a shell or two, and SwiftPM.
    for _ in 0..<8 where process > 1 {
      guard let name = readFile("/proc/\(process)/comm"), let status = readFile("/proc/\(process)/stat") else {
        return nil
      }
      if ["mpirun", "mpiexec", "orterun", "prterun"].contains(name.filter { !$0.isNewline }) {
        return isPlain(commandLine: readFile("/proc/\(process)/cmdline") ?? "")
          ? terminal("/proc/\(process)/fd/1") : nil
      }
      guard let parent = parent(status) else { return nil }
      process = parent
    }
    return nil
  }

  /// Whether the launcher hands text on as it is, without a mark before each line.
  static func isPlain(commandLine: String) -> Bool {
    let words = commandLine.split(separator: "\0")
    return !words.contains { word in
      word.hasPrefix("-")
        && ["tag-output", "timestamp-output", "output-filename", "xterm"].contains { word.hasSuffix($0) }
    } && !words.contains("--output")
  }

  /// The fourth field of `/proc/PID/stat` (see proc(5)); the second may hold blanks and parentheses.
  static func parent(_ status: String) -> Int? {
    guard let end = status.lastIndex(of: ")") else { return nil }
    let fields = status[status.index(after: end)...].split(whereSeparator: \.isWhitespace)
    return fields.count > 1 ? Int(fields[1]) : nil
  }

  private static func terminal(_ path: String) -> Int32? {
    let descriptor = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    guard isatty(descriptor) == 1, let size = Terminal.size(descriptor), size.rows > 0, size.columns > 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }
}
