import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `read`, which a member of that name hides.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

/// Files of a few lines, which are read whole.
public enum SmallFile {
  /// - Parameter maximumSize: no more bytes than these are taken.
  /// - Returns: the content.
  /// - Throws: `.noInput`, `.noPermission` or `.inputOutput`.
  public static func read(_ path: String, upTo maximumSize: Int = 4096) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure.reading(path, errno) }
    defer { close(descriptor) }
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: maximumSize) { buffer, count in
      while count < maximumSize, let start = buffer.baseAddress {
        let size = systemRead(descriptor, start + count, maximumSize - count)
        if size < 0 && errno == EINTR { continue }
        if size < 0 { number = errno }
        guard size > 0 else { break }
        count += size
      }
    }
    guard number == 0 else { throw Failure.reading(path, number) }
    return bytes
  }
}
