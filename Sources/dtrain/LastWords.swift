import Failures
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a job ends over an error: one line on standard error, then a code for all ranks.
enum LastWords {
  /// How long a rank leaves it to rank 0 to tell an error, in microseconds. Most errors (a wrong setting, a missing
  /// file) meet every rank at once, and rank 0 ends the job before the others say the same again.
  private static let courtesy: useconds_t = 1_000_000

  /// - Parameters:
  ///   - rank: this rank's number; nil where there is but one.
  ///   - abort: ends the whole job.
  static func end(_ failure: Failure, rank: Int?, abort: (ExitCode) -> Never) -> Never {
    if let rank, rank > 0 { usleep(courtesy) }
    say(failure, rank: rank)
    abort(failure.code)
  }

  /// - Parameter rank: nil where there is but one.
  static func say(_ failure: Failure, rank: Int?) {
    TextOutput(descriptor: STDERR_FILENO, name: "standard error", format: format, rank: rank ?? 0)
      .writeLine(FailureLine.text(failure, program: Program.name, rank: rank), level: .error)
  }

  /// As the command line asks for it, even where the rest of the line is wrong.
  private static let format: MessageFormat = {
    let arguments = CommandLine.arguments
    let isJSON =
      arguments.contains("--log-format=json")
      || zip(arguments, arguments.dropFirst()).contains { $0 == "--log-format" && $1 == "json" }
    return isJSON ? .json : .text
  }()
}
