#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a terminal can show.
public struct Terminal: Equatable, Sendable {
  public var columns: Int
  public var hasColor: Bool
  /// Whether it shows more than ASCII.
  public var hasUnicode: Bool

  public init(columns: Int, hasColor: Bool, hasUnicode: Bool) {
    self.columns = columns
    self.hasColor = hasColor
    self.hasUnicode = hasUnicode
  }

  /// What can be said of a terminal of this size in this environment; a size of 0 leaves 80 columns to be supposed.
  ///
  /// `NO_COLOR` (not empty) and `TERM=dumb` turn colour off; the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not
  /// empty tells the characters.
  public init(columns: Int, environment: (String) -> String?) {
    let isDumb = Self.isDumb(environment)
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first { !$0.isEmpty } ?? ""
    let encoding = locale.uppercased()
    self.columns = columns > 0 ? columns : 80
    hasColor = !isDumb && environment("NO_COLOR") ?? "" == ""
    hasUnicode = !isDumb && (encoding.hasSuffix("UTF-8") || encoding.hasSuffix("UTF8"))
  }

  /// The terminal on which what is written to a descriptor comes out and a line can be rewritten, or nil.
  public static func detect(
    descriptor: Int32, environment: (String) -> String? = environmentVariable
  ) -> Terminal? { Screen(behind: descriptor, environment: environment)?.terminal }

  static func isDumb(_ environment: (String) -> String?) -> Bool {
    let kind = environment("TERM") ?? ""
    return kind.isEmpty || kind == "dumb"
  }

  /// The size of the window, asked anew at each call since windows change.
  static func size(_ descriptor: Int32) -> (rows: Int, columns: Int)? {
    var window = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0 else { return nil }
    return (Int(window.ws_row), Int(window.ws_col))
  }
}

/// The value of a variable of this process's environment.
public func environmentVariable(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}

/// Seconds on a clock that nobody sets, from some point in the past.
public func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}
