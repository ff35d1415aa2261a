import CMPI
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory without a name that several processes of a node map: it goes when the last of them lets it go, however they end.
///
/// Made by memfd_create(2), whose size no mount of a container limits; taken by others through /proc/PID/fd.
///
/// Unchecked: it is memory; who writes where when, its users agree about.
final class NodeMemory: @unchecked Sendable {
  /// Where another process finds it.
  struct Place: Equatable {
    var process: UInt64
    /// The number of its file there; 0 where there is none.
    var file: UInt64

    static let none = Place(process: 0, file: 0)
  }

  let start: UnsafeMutableRawPointer
  /// As long as others may want to take it.
  private var file: Int32
  private let byteCount: Int

  var place: Place { Place(process: UInt64(getpid()), file: UInt64(file)) }

  /// New memory, zeroed and set aside; nil where there is none.
  init?(byteCount: Int) {
    #if os(Linux)
      let file = dtrain_memfd_create("dtrain", UInt32(dtrain_memfd_close_on_exec))
    #else
      let file: Int32 = -1
    #endif
    guard file > 0 else { return nil }
    guard posix_fallocate(file, 0, off_t(byteCount)) == 0, let start = Self.map(file, byteCount) else {
      close(file)
      return nil
    }
    (self.start, self.file, self.byteCount) = (start, file, byteCount)
  }

  /// What another process has made; nil where it cannot be had.
  init?(at place: Place, byteCount: Int) {
    let file = open("/proc/\(place.process)/fd/\(place.file)", O_RDWR | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard let start = Self.map(file, byteCount) else { return nil }
    (self.start, self.file, self.byteCount) = (start, -1, byteCount)
  }

  private static func map(_ file: Int32, _ byteCount: Int) -> UnsafeMutableRawPointer? {
    let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    return start == MAP_FAILED ? nil : start
  }

  /// To be called when all who should have it do.
  func closeFile() {
    if file >= 0 { close(file) }
    file = -1
  }

  deinit {
    closeFile()
    munmap(start, byteCount)
  }
}
