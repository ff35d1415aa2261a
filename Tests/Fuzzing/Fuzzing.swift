#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bytes that libFuzzer hands to a reader.
func input(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  Array(UnsafeBufferPointer(start: start, count: count))
}

/// Ends the process, so that libFuzzer keeps the input, where a reader has done what it must not.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
  guard !condition else { return }
  let line = "the reader breaks its promise: \(promise())\n"
  line.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
  abort()
}

/// A file in memory, for readers that want a path.
struct ScratchFile {
  let path: String

  init(_ name: String) {
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    path = "\(folder)/dtrain-fuzzing-\(getpid())-\(name)"
  }

  /// Replaces its content.
  func write(_ bytes: [UInt8]) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fatalError("\(path) cannot be written") }
    defer { close(descriptor) }
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { fatalError("\(path) cannot be written") }
  }
}

/// What must be refused where `bytes` are accepted: a file that lacks its last byte, and one with a byte too many.
func neighbours(_ bytes: [UInt8]) -> [[UInt8]] { [Array(bytes.dropLast()), bytes + [0]] }
