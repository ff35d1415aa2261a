import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the operating system refuses, as a person needs it.
extension Failure {
  /// A file or folder cannot be made, or not be put in its place.
  static func creating(_ path: String, _ number: Int32, what: String = "cannot be created") -> Failure {
    let code: ExitCode =
      switch number {
      case EACCES, EPERM: .noPermission
      // As for a file that was begun: trying again may mend it.
      case ENOSPC, EDQUOT: .inputOutput
      default: .cannotCreate
      }
    return Failure(code, "\(path): \(what): \(text(of: number))", remedy: remedy(for: number))
  }

  /// Writing failed midway.
  static func writing(_ path: String, _ number: Int32) -> Failure {
    Failure(.inputOutput, "\(path): cannot be written: \(text(of: number))", remedy: remedy(for: number))
  }

  /// A file cannot be opened or read.
  static func reading(_ path: String, _ number: Int32) -> Failure {
    switch number {
    case ENOENT, ENOTDIR:
      Failure(
        .noInput, "\(path): there is no such file", remedy: "check the path, which is seen from the current folder")
    case EACCES, EPERM:
      Failure(.noPermission, "\(path): the file may not be read", remedy: "give yourself the right to read it")
    default:
      Failure(.inputOutput, "\(path): cannot be read: \(text(of: number))", remedy: "check the file system")
    }
  }

  private static func text(of number: Int32) -> String { String(cString: strerror(number)) }

  private static func remedy(for number: Int32) -> String {
    switch number {
    case ENOSPC, EDQUOT: "free some space there, or choose another folder"
    case EACCES, EPERM: "give yourself the right to write there, or choose another folder"
    case EROFS: "choose a folder on a file system that can be written"
    case EISDIR, ENOTDIR, EEXIST: "choose a path where nothing else is"
    case ENAMETOOLONG: "choose a shorter name"
    default: "check the folder and its file system, or choose another folder"
    }
  }
}
