import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Keeps two jobs from writing into one run directory, also from two hosts over NFS: a file that names who writes.
///
/// It is made whole under another name and then linked to its own, which either happens or not, on every file system
/// that knows links. A lock that its process has left behind is taken over where that can be known: on the same host.
public struct RunLock: Sendable {
  /// Who holds a lock.
  struct Owner: Equatable, Sendable {
    var host: String
    var process: Int
    /// When the process began, in the system's own count, so that a number that was given again is not taken for the
    /// first; 0 where the system does not tell.
    var processStart: UInt64
    /// Seconds since 1970.
    var since: Int
    /// Which start of which `dtrain launch` the job is; nil for a job of its own.
    var launch: LaunchMark?
  }

  private let path: String
  private let owner: Owner

  /// - Throws: `.cannotCreate` where another job holds the lock, with its host and process; what the file system
  ///   refuses.
  public static func acquire(_ directory: RunDirectory) throws(Failure) -> RunLock {
    try acquire(directory.lock, for: .current)
  }

  /// The lock of a `dtrain launch`, which it holds from its first job to its last, while there may be none.
  ///
  /// - Returns: the lock, and the launch that was ended before it could release it, if it was one of this host: its
  ///   ranks may be about to end, or just about to take the lock of the run.
  public static func acquireLaunch(
    _ directory: RunDirectory, launch: String
  ) throws(Failure) -> (lock: RunLock, abandoned: String?) {
    var owner = Owner.current
    owner.launch = LaunchMark(launch: launch, start: 0)
    var abandoned: String?
    let lock = try acquire(directory.launchLock, for: owner) { abandoned = $0.launch?.launch }
    return (lock, abandoned)
  }

  /// - Returns: why a job would be refused now; nil where the directory is free.
  public static func refusal(_ directory: RunDirectory) throws(Failure) -> Failure? {
    guard let text = try content(directory.lock) else { return nil }
    guard let holder = Owner(text: text) else { return unreadable(directory.lock) }
    return holder.isGone ? nil : held(directory.lock, by: holder)
  }

  /// - Parameter takenOver: is told who has left the lock behind.
  static func acquire(
    _ path: String, for owner: Owner, takenOver: (Owner) -> Void = { _ in }
  ) throws(Failure) -> RunLock {
    let own = "\(path).\(owner.host.filter { $0 != "/" }).\(owner.process)"
    try AtomicFile.write(owner.text, to: own)
    defer { unlink(own) }
    // Each turn ends in the lock, in a refusal, or with the lock of a dead process gone.
    for _ in 0..<10 {
      if try link(own, to: path, owner.text) { return RunLock(path: path, owner: owner) }
      guard let text = try content(path) else { continue }
      guard let holder = Owner(text: text) else { throw unreadable(path) }
      guard holder.isGone || owner.launch?.follows(holder.launch) == true else { throw held(path, by: holder) }
      try remove(path, ifStill: text, by: own)
      takenOver(holder)
    }
    throw Failure(
      .failure, "\(path): other jobs take this run directory at the same time", remedy: "start one job alone")
  }

  /// Lets others in. Does nothing where the lock is not this job's any more.
  public func release() {
    guard let text = try? Self.content(path), Owner(text: text) == owner else { return }
    unlink(path)
  }

  /// - Returns: false where there is a lock already.
  private static func link(_ own: String, to path: String, _ text: String) throws(Failure) -> Bool {
    if Self.systemLink(own, path) == 0 { return true }
    switch errno {
    case EEXIST: return false
    case EPERM, ENOTSUP, ENOSYS, EMLINK:
      // No links here. The file is empty for a moment, in which another job is refused as well.
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        if errno == EEXIST { return false }
        throw Failure.creating(path, errno)
      }
      defer { close(descriptor) }
      try OutputFile(descriptor: descriptor, path: path).append(Array(text.utf8).span.bytes)
      return true
    default: throw Failure.creating(path, errno)
    }
  }

  /// `link`, which the function of that name hides.
  private static func systemLink(_ from: String, _ to: String) -> Int32 { linkat(AT_FDCWD, from, AT_FDCWD, to, 0) }

  /// Takes away a lock, unless it has become another one since it was read.
  private static func remove(_ path: String, ifStill text: [UInt8], by own: String) throws(Failure) {
    let aside = own + ".old"
    guard rename(path, aside) == 0 else {
      if errno == ENOENT { return }
      throw Failure.creating(path, errno, what: "the lock of a job that is gone cannot be taken over")
    }
    if try content(aside) != text { _ = systemLink(aside, path) }
    unlink(aside)
  }

  /// Nil where there is no file.
  private static func content(_ path: String) throws(Failure) -> [UInt8]? {
    do throws(Failure) {
      return try SmallFile.read(path)
    } catch {
      if error.code == .noInput { return nil }
      throw error
    }
  }

  private static func held(_ path: String, by owner: Owner) -> Failure {
    let place = owner.host == Owner.current.host ? "on this host" : "on another host"
    return Failure(
      .cannotCreate,
      "\(AtomicFile.folder(of: path)): process \(owner.process) on \(printable(owner.host)) is writing into this run "
        + "directory",
      remedy: owner.host == Owner.current.host
        ? "wait for it, end it, or choose another --run-dir"
        : "wait for it or choose another --run-dir; if that process, \(place), is gone, remove \(path)")
  }

  private static func unreadable(_ path: String) -> Failure {
    Failure(
      .cannotCreate, "\(path): the lock of this run directory says nobody's name",
      remedy: "see that no other job uses the directory, then remove the lock")
  }
}

extension RunLock.Owner {
  /// This process.
  static var current: Self {
    var name = [CChar](repeating: 0, count: 256)
    let host =
      gethostname(&name, name.count - 1) == 0
      ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "unknown"
    let process = Int(getpid())
    return Self(
      host: host, process: process, processStart: start(ofProcess: process) ?? 0, since: time(nil),
      launch: .ofThisProcess)
  }

  var text: String {
    "host \(host)\nprocess \(process)\nstarted \(processStart)\nsince \(since)\n"
      + (launch.map { "launch \($0)\n" } ?? "")
  }

  init?(text: [UInt8]) {
    guard let text = String(validating: text, as: UTF8.self) else { return nil }
    var fields: [Substring: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2 { fields[words[0]] = String(words[1]) }
    }
    guard let host = fields["host"], let process = fields["process"].flatMap({ Int($0) }), process > 0,
      process <= Int(Int32.max), let start = fields["started"].flatMap({ UInt64($0) }),
      let since = fields["since"].flatMap({ Int($0) })
    else { return nil }
    self.init(
      host: host, process: process, processStart: start, since: since,
      launch: fields["launch"].flatMap { LaunchMark($0) })
  }

  /// Whether the process is known to have ended: false on other hosts.
  var isGone: Bool {
    guard host == Self.current.host else { return false }
    if kill(pid_t(process), 0) != 0 && errno == ESRCH { return true }
    guard processStart != 0, let start = Self.start(ofProcess: process) else { return false }
    return start != processStart
  }

  /// Nil where the system does not tell.
  private static func start(ofProcess process: Int) -> UInt64? {
    #if os(Linux)
      guard let bytes = try? SmallFile.read("/proc/\(process)/stat") else { return nil }
      // The name of the program, in parentheses, may hold anything; the start is the 20th field behind it.
      let text = String(decoding: bytes, as: UTF8.self)
      guard let name = text.lastIndex(of: ")") else { return nil }
      let fields = text[text.index(after: name)...].split(separator: " ")
      // A process that has ended and was not waited for yet writes nothing any more.
      if fields.first == "Z" { return 0 }
      return fields.count > 19 ? UInt64(fields[19]) : nil
    #else
      return nil
    #endif
  }
}
