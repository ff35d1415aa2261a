import Checkpoints
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processes of a launch on this host: ranks, Open MPI's daemons, and what starts those elsewhere.
///
/// They are known by the launch's mark in their environment, which whatever they start inherits. So they are found
/// though mpirun is gone, and nothing else is.
enum JobProcesses {
  private static let largestEnvironment = 1 << 20

  /// Those that still run, without this process and those that have ended and are not waited for yet.
  static func running(of launch: String) -> [pid_t] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    let mark = Array("\(LaunchMark.variable)=\(launch):".utf8)
    var found: [pid_t] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
          String(cString: $0)
        }
      }
      guard let process = pid_t(name), process != getpid(),
        let environment = try? SmallFile.read("/proc/\(name)/environ", upTo: largestEnvironment)
      else { continue }
      if environment.split(separator: 0).contains(where: { $0.starts(with: mark) }) { found.append(process) }
    }
    return found
  }

  /// Ends all of them, and waits until they are gone.
  ///
  /// - Parameter patience: seconds for what is ending in good order: a daemon that tidies up, a state that is written.
  /// - Returns: those that are still there some seconds later.
  static func end(of launch: String, patience: Double = 0.5) -> [pid_t] {
    let attempts = Int(patience * 20)
    for attempt in 0..<attempts + 90 {
      let rest = running(of: launch)
      if rest.isEmpty { return [] }
      if attempt >= attempts { for process in rest { kill(process, SIGKILL) } }
      usleep(50_000)
    }
    return running(of: launch)
  }

  /// Ends what is left of a job whose mpirun is gone.
  ///
  /// - Throws: `.osError` where some of it does not end.
  static func endLastJob(of launch: String) throws(Failure) {
    let rest = end(of: launch)
    guard rest.isEmpty else {
      throw Failure(
        .osError, "processes of the last job cannot be ended: \(rest.map { "\($0)" }.joined(separator: ", "))",
        remedy: "see what they wait for (a disk, a network file system), and end them; a run goes on with --resume auto"
      )
    }
  }
}
