import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A regular file opened for reading, closed when it goes away.
struct OpenFile: ~Copyable {
  let descriptor: Int32
  let path: String
  /// In bytes, when it was opened.
  let size: Int

  /// - Throws: `.noInput` where there is no such file, `.noPermission`, `.badData` where it is something else than a
  ///   file, `.osError`.
  init(reading path: String) throws(Failure) {
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else { throw Self.failure(errno, opening: path) }
    var status = stat()
    guard fstat(opened, &status) == 0 else {
      let code = errno
      close(opened)
      throw Self.failure(code, opening: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw Failure(.badData, "\(path) is not a regular file", remedy: "name a folder that holds idx files")
    }
    descriptor = opened
    self.path = path
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads until the buffer is full or the file ends, and returns the number of bytes read.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    var filled = 0
    while filled < buffer.count, let base = buffer.baseAddress {
      let got = pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        throw Failure(
          .inputOutput, "reading \(path) failed at byte \(offset + filled): \(Self.message(errno))",
          remedy: "check the disk or the network drive")
      }
      filled += got
    }
    return filled
  }

  /// Some bytes of the file, fewer where it is shorter.
  func bytes(at offset: Int, count: Int) throws(Failure) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    let got = try read(at: offset, into: buffer)
    return Array(buffer.prefix(got))
  }

  static func message(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func failure(_ code: Int32, opening path: String) -> Failure {
    switch code {
    case ENOENT, ENOTDIR:
      Failure(.noInput, "\(path) does not exist", remedy: "check dataset.path")
    case EACCES, EPERM:
      Failure(.noPermission, "\(path) may not be read by this user", remedy: "change its permissions")
    default:
      Failure(.osError, "\(path) cannot be opened: \(message(code))", remedy: "check the file system")
    }
  }
}
