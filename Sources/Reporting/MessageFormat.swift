#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How what a program says is written.
public enum MessageFormat: String, CaseIterable, Sendable {
  /// Lines for a person.
  case text
  /// Lines for a program: each a JSON object with `time` (UTC, RFC 3339), `level`, `rank` and `message`.
  case json

  public enum Level: String, Sendable {
    case info
    case warning
    case error
  }

  /// A line, without its end.
  ///
  /// - Parameters:
  ///   - rank: who says it.
  ///   - time: seconds since 1970; nil for now.
  public func line(_ text: String, level: Level, rank: Int, time: Double? = nil) -> String {
    switch self {
    case .text: text
    case .json:
      JSONValue.object([
        .init("time", .text(Self.timestamp(time ?? Self.now()))), .init("level", .text(level.rawValue)),
        .init("rank", .integer(rank)), .init("message", .text(text)),
      ]).encoded
    }
  }

  private static func now() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
  }

  /// `2026-01-31T23:59:59.123Z`.
  static func timestamp(_ seconds: Double) -> String {
    let milliseconds = Int((seconds * 1000).rounded(.down))
    var whole = time_t(milliseconds / 1000)
    var parts = tm()
    gmtime_r(&whole, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return digits(Int(parts.tm_year) + 1900, 4) + "-" + digits(Int(parts.tm_mon) + 1, 2) + "-"
      + digits(Int(parts.tm_mday), 2) + "T" + digits(Int(parts.tm_hour), 2) + ":" + digits(Int(parts.tm_min), 2) + ":"
      + digits(Int(parts.tm_sec), 2) + "." + digits(milliseconds % 1000, 3) + "Z"
  }
}
