import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Zeroed memory on a boundary of 64 bytes, to be given back with `free`.
func allocateAligned(byteCount: Int, for what: String) throws(Failure) -> UnsafeMutableRawPointer {
  var memory: UnsafeMutableRawPointer?
  guard posix_memalign(&memory, 64, max(byteCount, 64)) == 0, let memory else {
    throw Failure(
      .osError, "no memory for \(what): \(byteCount) bytes",
      remedy: "use fewer ranks a host, fewer threads or a smaller model")
  }
  memset(memory, 0, max(byteCount, 64))
  return memory
}

/// Zeroed memory on a boundary of 64 bytes that grows when it is asked to, and then forgets what was in it.
struct AlignedMemory<Element: BitwiseCopyable>: ~Copyable {
  private(set) var start: UnsafeMutablePointer<Element>
  private(set) var count: Int

  init(count: Int) throws(Failure) {
    start = try Self.allocate(count)
    self.count = count
  }

  deinit { free(start) }

  mutating func reserve(_ count: Int) throws(Failure) {
    guard count > self.count else { return }
    let larger = try Self.allocate(count)
    free(start)
    start = larger
    self.count = count
  }

  private static func allocate(_ count: Int) throws(Failure) -> UnsafeMutablePointer<Element> {
    try allocateAligned(byteCount: count * MemoryLayout<Element>.stride, for: "the gradient exchange")
      .bindMemory(to: Element.self, capacity: count)
  }
}
