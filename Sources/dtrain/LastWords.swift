import CStopRequest
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
  /// How long a rank leaves it to those before it to tell an error, in milliseconds. Most errors (a wrong setting, a
  /// missing file) meet every rank at once, and the first ends the job before the others say the same again.
  private static let courtesy = (toRankZero: 1000, toEachOther: 200, largest: 3000)
  /// How long mpirun may take to end a rank that it has told to, in milliseconds.
  private static let endPatience = 5000

  /// - Parameters:
  ///   - rank: this rank's number; nil where there is but one.
  ///   - abort: ends the whole job.
  static func end(_ failure: Failure, rank: Int?, abort: (ExitCode) -> Never) -> Never {
    if let rank, rank > 0 { leaveToOthers(rank) }
    say(failure, rank: rank)
    abort(failure.code)
  }

  private static func leaveToOthers(_ rank: Int) {
    let wasAsked = dtrain_stop_request_is_set() != 0
    var rest = min(courtesy.largest, courtesy.toRankZero + (rank - 1) * courtesy.toEachOther)
    var isEnding = false
    while rest > 0 {
      usleep(20_000)
      rest -= 20
      // mpirun sends SIGTERM, and SIGKILL a second later, once another rank has ended the job.
      if !isEnding, !wasAsked, dtrain_stop_request_is_set() != 0 { (isEnding, rest) = (true, endPatience) }
    }
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
