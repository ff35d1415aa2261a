import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A regular file that is open for reading.
package struct InputFile: ~Copyable {
  /// In bytes, when it was opened.
  package let size: Int
  private let path: String
  private let descriptor: Int32

  /// - Parameter what: what the file should be, for messages: "a file of weights".
  /// - Throws: `.noInput`, `.noPermission` or `.inputOutput`.
  package init(_ path: String, what: String = "a file of weights") throws(Failure) {
    // Without O_NONBLOCK, opening a pipe waits for somebody who writes.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure.reading(path, errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let number = errno
      close(descriptor)
      throw Failure.reading(path, number)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Failure(
        .noInput, "\(path): this is \(status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "no regular file")",
        remedy: "give the path of \(what)")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// - Parameter offset: in bytes.
  /// - Throws: `.inputOutput`; `.badData` where the file has become shorter.
  package func read<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ count: Int, of type: Value.Type, at offset: Int
  ) throws(Failure) -> [Value] {
    var values = [Value](repeating: 0, count: count)
    try values.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      try fill(UnsafeMutableRawBufferPointer(buffer), from: offset)
    }
    return values
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws(Failure) {
    var done = 0
    while done < buffer.count, let start = buffer.baseAddress {
      let count = pread(descriptor, start + done, buffer.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure.reading(path, errno) }
      guard count > 0 else {
        throw Failure(
          .badData, "\(path): the file ends at byte \(offset + done), while it is read",
          remedy: "something is changing it: take a copy that stays")
      }
      done += count
    }
  }
}
