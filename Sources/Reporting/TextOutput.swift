import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard output, or another descriptor, written at once and without a trap.
///
/// Where the reader has gone (`dtrain train | head`), the text goes nowhere and the work goes on: `ignoreBrokenPipes`
/// has to have been called. Any other error is kept until `finish`, so that a run does not end over a line of progress.
/// To be used by one thread at a time.
public final class TextOutput {
  let descriptor: Int32
  let format: MessageFormat
  private let name: String
  private let rank: Int
  private var error: Int32 = 0
  private let log: RankLog?

  /// - Parameters:
  ///   - rank: who speaks, where the format tells it.
  ///   - log: gets every line besides.
  public init(
    descriptor: Int32 = STDOUT_FILENO, name: String = "standard output", format: MessageFormat = .text, rank: Int = 0,
    log: RankLog? = nil
  ) {
    self.descriptor = descriptor
    self.name = name
    self.format = format
    self.rank = rank
    self.log = log
  }

  /// Makes writing to a pipe without a reader an error instead of the end of the process.
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Writes the text as it is.
  public func write(_ text: String) {
    guard error == 0 else { return }
    var text = text
    error = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// Writes the text, in the output's format, and the end of a line.
  public func writeLine(_ text: String, level: MessageFormat.Level = .info) {
    write(format.line(text, level: level, rank: rank) + "\n")
    log?.write(text)
  }

  /// - Throws: a failure with `ExitCode.inputOutput` when some text could not be written though someone was reading.
  public func finish() throws(Failure) {
    guard error != 0, error != EPIPE else { return }
    throw Failure(
      .inputOutput, "\(name): \(errorText(error))", remedy: "the output is incomplete: make room and run it again")
  }
}
