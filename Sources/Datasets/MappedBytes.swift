#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Pages of memory that are read only: those of a file, shared by all processes that map it, or private ones.
final class MappedBytes: @unchecked Sendable {
  let base: UnsafeRawPointer
  let count: Int

  /// The first `count` bytes of an open file, which stay after the descriptor is closed; nil where the system refuses,
  /// with `errno` set.
  init?(file descriptor: Int32, count: Int) {
    guard count > 0, let mapped = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
      return nil
    }
    base = UnsafeRawPointer(mapped)
    self.count = count
  }

  /// Takes over pages of ``privatePages(_:)``, which may be written until ``protect()``.
  init(_ pages: UnsafeMutableRawBufferPointer) {
    guard let start = pages.baseAddress else { preconditionFailure("no pages") }
    base = UnsafeRawPointer(start)
    count = pages.count
  }

  /// Makes private pages read-only.
  func protect() { mprotect(UnsafeMutableRawPointer(mutating: base), count, PROT_READ) }

  deinit { munmap(UnsafeMutableRawPointer(mutating: base), count) }

  /// Private pages, zero until written; nil where there is not enough memory.
  static func privatePages(_ count: Int) -> UnsafeMutableRawBufferPointer? {
    guard count > 0,
      let mapped = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), mapped != MAP_FAILED
    else { return nil }
    return UnsafeMutableRawBufferPointer(start: mapped, count: count)
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
