import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The files of events that this program has written into a folder.
struct EventFolder {
  private static let prefix = "events.out.tfevents."
  private static let suffix = ".dtrain"
  /// Larger ones are not of this program's making.
  private static let maximumSize = 1 << 32

  private let path: String

  init(_ path: String) { self.path = path }

  /// Cuts each file off at the first record that is torn, damaged, or behind the steps made; of a run that begins all
  /// files are removed.
  ///
  /// - Returns: the names of the files that are there now.
  /// - Throws: `.noPermission` or `.inputOutput`.
  func cut(after step: Int, endsEpoch: Bool = false) throws(Failure) -> [String] {
    var names: [String] = []
    guard let folder = opendir(path) else { throw failure(path) }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(Self.prefix) && name.hasSuffix(Self.suffix) { names.append(name) }
    }
    for name in names {
      let file = "\(path)/\(name)"
      guard step > 0 else {
        guard unlink(file) == 0 || errno == ENOENT else { throw failure(file) }
        continue
      }
      let length = RecordScan.length(of: try contents(of: file), keptAfter: step, endsEpoch: endsEpoch)
      guard truncate(file, off_t(length)) == 0 else { throw failure(file) }
    }
    return step > 0 ? names.sorted() : []
  }

  /// A name that comes behind the earlier ones: TensorBoard reads the files of a folder in the order of their names.
  static func newName(after earlier: [String]) -> String {
    let last = earlier.compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }.max() ?? 0
    let seconds = String(max(time(nil), last + 1))
    var host = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&host, host.count - 1) == 0
    let name = isKnown ? String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "host"
    return prefix + String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds + "." + name + suffix
  }

  private func contents(of file: String) throws(Failure) -> [UInt8] {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(file) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size <= Self.maximumSize else { throw failure(file) }
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      while count < buffer.count, let start = buffer.baseAddress {
        let size = read(descriptor, start + count, buffer.count - count)
        if size < 0 && errno == EINTR { continue }
        if size < 0 { number = errno }
        guard size > 0 else { break }
        count += size
      }
    }
    guard number == 0 else { throw failure(file) }
    return bytes
  }

  private func failure(_ file: String) -> Failure {
    Failure(
      errno == EACCES || errno == EPERM ? .noPermission : .inputOutput, "\(file): \(String(cString: strerror(errno)))",
      remedy: "check the file and its rights, or remove it: it is for TensorBoard alone")
  }
}
