import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Files that are there whole or not at all, also after a crash or a loss of power.
///
/// The content goes to a temporary file in the same folder, which is synced and then renamed; at last the folder is
/// synced. Whatever fails, what was there before stays as it was, and the temporary file is removed.
public enum AtomicFile {
  /// - Throws: `.noPermission`, `.cannotCreate` or `.inputOutput`.
  public static func write(_ text: String, to path: String) throws(Failure) {
    let bytes = Array(text.utf8)
    try write(to: path) { (file) throws(Failure) in
      try file.append(bytes.span.bytes)
    }
  }

  /// Replaces the file by what the closure writes.
  ///
  /// - Throws: what the closure throws; otherwise as `write(_:to:)`.
  public static func write(to path: String, _ content: (OutputFile) throws(Failure) -> Void) throws(Failure) {
    let folder = folder(of: path)
    let temporary = try makeTemporary(in: folder) { .creating(path, $0) }
    do throws(Failure) {
      let file = OutputFile(descriptor: temporary.descriptor, path: path)
      do throws(Failure) {
        try content(file)
        try file.synchronize()
      } catch {
        close(temporary.descriptor)
        throw error
      }
      guard close(temporary.descriptor) == 0 || errno == EINTR else { throw Failure.writing(path, errno) }
      guard rename(temporary.path, path) == 0 else { throw Failure.creating(path, errno) }
    } catch {
      unlink(temporary.path)
      throw error
    }
    try synchronize(folder: folder, of: path)
  }

  /// Finds out whether a file of this path can be written, before the work whose result it is to hold. Makes the
  /// folders that it lies in.
  ///
  /// - Throws: `.noPermission` or `.cannotCreate`.
  public static func probe(for path: String) throws(Failure) {
    try RunDirectory.makeFolders(folder(of: path))
    let temporary = try makeTemporary(in: folder(of: path)) { .creating(path, $0) }
    close(temporary.descriptor)
    unlink(temporary.path)
    var status = stat()
    if stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR { throw .creating(path, EISDIR) }
  }

  /// Finds out whether files can be made in a folder by making one, which is removed at once.
  static func probe(folder: String) throws(Failure) {
    let temporary = try makeTemporary(in: folder) { .creating(folder, $0, what: "no file can be created in it") }
    close(temporary.descriptor)
    unlink(temporary.path)
  }

  /// The folder that holds the file of a path.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A new file of a name that nothing else has, with the permissions that the user's mask leaves.
  private static func makeTemporary(
    in folder: String, failure: (_ number: Int32) -> Failure
  ) throws(Failure) -> (path: String, descriptor: Int32) {
    for attempt in 0..<1000 {
      let temporary = "\(folder)/.dtrain-\(getpid())-\(attempt).temporary"
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (temporary, descriptor) }
      guard errno == EEXIST else { throw failure(errno) }
    }
    throw failure(EEXIST)
  }

  private static func synchronize(folder: String, of path: String) throws(Failure) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder may be writable and not readable; then nobody can sync it.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Some network file systems cannot sync folders and say so.
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EINTR else {
      throw Failure.writing(path, errno)
    }
  }
}

/// An open file that is written from its start to its end.
public struct OutputFile {
  let descriptor: Int32
  /// What the file is called in messages.
  let path: String

  /// - Throws: `.inputOutput`.
  public func append(_ bytes: RawSpan) throws(Failure) {
    try bytes.withUnsafeBytes { (bytes) throws(Failure) in try append(bytes) }
  }

  private func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var rest = bytes
    while let start = rest.baseAddress, !rest.isEmpty {
      let count = write(descriptor, start, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure.writing(path, errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  func synchronize() throws(Failure) {
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw Failure.writing(path, errno) }
    }
  }
}
