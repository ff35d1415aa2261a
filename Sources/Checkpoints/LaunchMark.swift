#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What marks every process of a job that `dtrain launch` has started: which launch, and its how manieth start.
///
/// It stands in the environment, so that whatever is left of a job can be found. A launch starts its next job when the
/// one before is gone, so the lock of an earlier start of the same launch counts for nothing, on whatever host it was
/// taken.
public struct LaunchMark: Equatable, Sendable, CustomStringConvertible {
  /// The variable of the environment.
  public static let variable = "DTRAIN_LAUNCH"

  /// What rank 0 of such a job says on standard error, behind the program's name, once every rank answers. mpirun may
  /// wait without end for a daemon or a rank that was lost before.
  public static let startedLine = "launch: all ranks have started"

  /// The launch, by host, process and time: of no other launch.
  public let launch: String
  /// From 1.
  public let start: Int

  public init(launch: String, start: Int) {
    self.launch = launch
    self.start = start
  }

  /// Reads `launch:start`.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let start = Int(text[text.index(after: colon)...]) else { return nil }
    self.init(launch: String(text[..<colon]), start: start)
  }

  public var description: String { "\(launch):\(start)" }

  public static var ofThisProcess: LaunchMark? { getenv(variable).flatMap { LaunchMark(String(cString: $0)) } }

  /// A launch that begins now in this process.
  public static func newLaunch() -> String {
    let owner = RunLock.Owner.current
    let host = owner.host.filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." }
    return "\(host)-\(owner.process)-\(owner.since)"
  }

  /// Whether this is a later start of the same launch.
  func follows(_ other: LaunchMark?) -> Bool {
    guard let other else { return false }
    return other.launch == launch && other.start < start
  }
}
