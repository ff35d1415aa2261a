import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The folder that all files of a run go to.
public struct RunDirectory: Equatable, Sendable {
  public let path: String

  /// The folder of this path, whether it is there or not.
  public init(path: String) {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = String(path)
  }

  /// The folder of the run that has written this checkpoint; nil where it lies in no folder of checkpoints.
  public init?(ofCheckpoint path: String) {
    let folder = AtomicFile.folder(of: path)
    let run = RunDirectory(path: AtomicFile.folder(of: folder))
    guard folder == run.checkpoints || folder == "checkpoints" else { return nil }
    self = run
  }

  /// The weights at the end of the run.
  public var weights: String { path + "/weights.safetensors" }
  /// The settings of the run, resolved.
  public var configuration: String { path + "/configuration.yaml" }
  /// Steps, losses and accuracies, a JSON object a line.
  public var metrics: String { path + "/metrics.jsonl" }
  /// The same as a table of comma-separated values.
  public var metricsTable: String { path + "/metrics.csv" }
  /// The folder of checkpoints. It is there once there is one.
  public var checkpoints: String { path + "/checkpoints" }
  /// The digests of one step's gradients, a JSON object a line. It is there where they were asked for.
  public func gradients(ofStep step: Int) -> String { path + "/gradients-step-\(step).jsonl" }
  /// Where the time of a step goes, if that was measured.
  public var profile: String { path + "/profile.json" }
  /// The page about the run, if one was asked for.
  public var report: String { path + "/report.html" }
  /// Who writes here now. It is there while a job runs.
  public var lock: String { path + "/lock" }
  /// Who starts jobs that write here, again and again. It is there while a `dtrain launch` runs.
  public var launchLock: String { path + "/launch.lock" }

  /// Makes the folder and those above it, with the permissions that the user's mask leaves, and tries that it can be
  /// written, so that a run does not find out at its end. To be called on one rank.
  ///
  /// - Parameters:
  ///   - path: the folder, which may be there already; nil for a new one in `parent`, named by the file of settings and
  ///     the time: `runs/deepconvnet-mnist-20260131-235959`.
  ///   - configurationFile: the file of settings, nil for none.
  /// - Throws: `.cannotCreate` or `.noPermission`.
  public static func create(
    at path: String?, configurationFile: String?, in parent: String = "runs"
  ) throws(Failure) -> RunDirectory {
    let directory =
      if let path {
        try existing(path)
      } else {
        try new(in: parent, name: "\(stem(of: configurationFile))-\(timestamp())")
      }
    try AtomicFile.probe(folder: directory.path)
    return directory
  }

  private static func existing(_ path: String) throws(Failure) -> RunDirectory {
    let directory = RunDirectory(path: path)
    try makeFolders(directory.path)
    return directory
  }

  /// Two runs may start in the same second.
  private static func new(in parent: String, name: String) throws(Failure) -> RunDirectory {
    try makeFolders(parent)
    var number = 1
    while true {
      let path = "\(parent)/\(name)" + (number == 1 ? "" : "-\(number)")
      if mkdir(path, 0o777) == 0 { return RunDirectory(path: path) }
      guard errno == EEXIST else { throw Failure.creating(path, errno) }
      number += 1
    }
  }

  /// The weights of the run that ended last; nil where there are none.
  ///
  /// - Parameter parent: the folder of runs.
  public static func newestWeights(in parent: String = "runs") -> String? {
    guard let folder = opendir(parent) else { return nil }
    defer { closedir(folder) }
    var newest: (path: String, seconds: Int)?
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      let path = RunDirectory(path: "\(parent)/\(name)").weights
      var status = stat()
      guard !name.hasPrefix("."), stat(path, &status) == 0 else { continue }
      let seconds = Int(status.st_mtim.tv_sec)
      if newest.map({ (seconds, path) > ($0.seconds, $0.path) }) ?? true { newest = (path, seconds) }
    }
    return newest?.path
  }

  /// Makes a folder and those above it, where they are not there yet, with the permissions that the user's mask leaves.
  public static func makeFolders(_ path: String) throws(Failure) {
    if mkdir(path, 0o777) == 0 { return }
    var number = errno
    if number == ENOENT {
      let parent = AtomicFile.folder(of: path)
      guard !path.isEmpty, parent != path else { throw Failure.creating(path, number) }
      try makeFolders(parent)
      if mkdir(path, 0o777) == 0 { return }
      number = errno
    }
    // Another process may have made it in between; and what is there may be no folder.
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Failure.creating(path, number)
    }
  }

  private static func stem(of file: String?) -> String {
    let name = file?.split(separator: "/").last ?? ""
    let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
    return stem.isEmpty ? "run" : String(stem)
  }

  /// Local time, as year, month, day, a hyphen, hour, minute, second.
  private static func timestamp() -> String {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    func digits(_ value: Int32, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2) + "-"
      + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2)
  }
}
