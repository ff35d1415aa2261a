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
  static let maximumSize = 1 << 20

  /// The whole file, at most `maximumSize` bytes. Pipes will do.
  static func contents(of path: String) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, errno) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= maximumSize else {
        throw Failure(
          .configuration, "\(path): the file is larger than \(maximumSize) bytes, which no file of settings is",
          remedy: "give a file of settings such as configs/deepconvnet-mnist.yaml")
      }
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
