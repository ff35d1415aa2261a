import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads the file of settings as bytes.
enum ConfigurationFile {
  /// The whole file, or somewhat more than a limit of it where it is larger. Pipes will do.
  static func contents(of path: String, upTo limit: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, errno) }
      bytes += chunk[..<count]
      if count == 0 || bytes.count > limit { return bytes }
    }
  }

  private static func failure(_ path: String, _ number: Int32) -> Failure {
    switch number {
    case ENOENT, ENOTDIR:
      Failure(
        .noInput, "\(path): there is no such file",
        remedy: "give the path of a file of settings, as seen from the current folder")
    case EACCES, EPERM:
      Failure(.noPermission, "\(path): the file may not be read", remedy: "give yourself the right to read it")
    case EISDIR:
      Failure(.configuration, "\(path): this is a folder", remedy: "give the path of a file of settings")
    default:
      Failure(
        .configuration, "\(path): reading failed: \(String(cString: strerror(number)))",
        remedy: "check the path and the file system")
    }
  }
}
