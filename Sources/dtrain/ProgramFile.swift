import Digests
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file that this process was started from.
enum ProgramFile {
  /// Its absolute path; nil where the system does not tell.
  static func path() -> String? {
    #if os(Linux)
      let link = "/proc/self/exe"
    #else
      let link = CommandLine.arguments.first ?? ""
    #endif
    guard let path = realpath(link, nil) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }

  /// For ranks that are to run it too.
  ///
  /// - Throws: `.osError` where the system does not tell.
  static func requiredPath() throws(Failure) -> String {
    guard let path = path() else {
      throw Failure(
        .osError, "the program does not find its own file",
        remedy: "start it by its path, and see that /proc is mounted")
    }
    return path
  }

  /// SHA-256 of its bytes, which tells one build from another; of nothing where they cannot be read.
  static func digest() -> Digest {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    let descriptor = path().map { open($0, O_RDONLY | O_CLOEXEC) } ?? -1
    guard descriptor >= 0 else { return SHA256.of(nothing) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0,
      let bytes = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), bytes != MAP_FAILED
    else { return SHA256.of(nothing) }
    defer { munmap(bytes, Int(status.st_size)) }
    return SHA256.of(UnsafeRawBufferPointer(start: bytes, count: Int(status.st_size)))
  }
}
