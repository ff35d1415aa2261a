/// How the process ends, after `sysexits.h`, so that scripts can tell errors apart.
public enum ExitCode: Int32, Sendable {
  case success = 0
  /// Something failed that trying again may mend.
  case failure = 1
  /// The command line is wrong.
  case usage = 64
  /// A file's content is wrong.
  case badData = 65
  /// A file that is needed is not there.
  case noInput = 66
  /// The machine lacks what the program needs.
  case unavailable = 69
  /// The program contradicts itself: a defect of ours.
  case software = 70
  /// The operating system refused.
  case osError = 71
  /// An output cannot be created.
  case cannotCreate = 73
  /// Reading or writing failed midway.
  case inputOutput = 74
  /// The run was asked to stop and can go on later.
  case preempted = 75
  /// Permission is missing.
  case noPermission = 77
  /// The configuration is wrong.
  case configuration = 78
}

/// An error as a person needs it: what is wrong and where, and what to do.
public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
  public let code: ExitCode
  /// What is wrong, with the place: file and offset, key, rank.
  public let cause: String
  /// What to do about it.
  public let remedy: String

  public init(_ code: ExitCode, _ cause: String, remedy: String) {
    self.code = code
    self.cause = cause
    self.remedy = remedy
  }

  /// One line: the cause, then the remedy.
  public var description: String { remedy.isEmpty ? cause : "\(cause); \(remedy)" }
}
