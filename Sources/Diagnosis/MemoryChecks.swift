import Communication

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory, its limits, and the folders in which Open MPI shares it between ranks.
enum MemoryChecks {
  /// What a rank takes at most of its own, MPI included, and the data that all ranks of a host share. Generous: a rank of
  /// DeepConvNet was measured at 31 MB without MPI, MNIST has 55 MB.
  private static let bytesPerRank = 200 << 20
  private static let sharedBytes = 100 << 20

  static func memory(_ circumstances: Circumstances) -> Finding {
    let name = "memory"
    let ranks = circumstances.hostfile == nil ? circumstances.ranks ?? 2 : PhysicalCores.count
    let needed = ranks * bytesPerRank + sharedBytes
    var limits: [(bytes: Int, title: String, isPerProcess: Bool)] = []
    if let free = available(SystemFile.text("/proc/meminfo") ?? "") { limits.append((free, "free memory", false)) }
    if let group = controlGroup() { limits.append((group, "what is left of the control group's memory", false)) }
    for (resource, title) in [(RLIMIT_AS, "address space (ulimit -v)"), (RLIMIT_DATA, "data segment (ulimit -d)")] {
      if let limit = limit(resource) { limits.append((limit, title, true)) }
    }
    for limit in limits where limit.isPerProcess {
      // The address space holds the data, the program, its libraries and MPI's buffers beside what is in use.
      let least = limit.title.hasPrefix("address") ? 1 << 30 : bytesPerRank
      guard limit.bytes < least else { continue }
      return Finding(
        name, .failure, "the limit on the \(limit.title) is \(byteText(limit.bytes)); a rank needs \(byteText(least))",
        remedy: "raise it, or take it away: ulimit -v unlimited -d unlimited")
    }
    guard let least = limits.filter({ !$0.isPerProcess }).min(by: { $0.bytes < $1.bytes }) else {
      return Finding(name, .skipped, "the system does not say how much is free")
    }
    guard least.bytes >= needed else {
      return Finding(
        name, .warning, "\(least.title) is \(byteText(least.bytes)); \(ranks) ranks may take \(byteText(needed))",
        remedy: "start fewer ranks here, or give the job more memory")
    }
    return Finding(name, .ok, "\(byteText(least.bytes)) for \(ranks) ranks")
  }

  /// Locked memory matters to InfiniBand and its like alone.
  static func lockedMemory(adapters: Int = Self.adapters) -> Finding {
    let name = "locked memory"
    let limit = limit(__RLIMIT_MEMLOCK)
    let shown = limit.map { "ulimit -l is \($0 / 1024) kB" } ?? "unlimited"
    guard adapters > 0 else { return Finding(name, .ok, "\(shown); no InfiniBand adapter needs more") }
    guard let limit, limit < 1 << 30 else { return Finding(name, .ok, shown) }
    return Finding(
      name, .warning, "\(shown), and there is an InfiniBand adapter, which needs to lock its buffers",
      remedy: "set memlock to unlimited in /etc/security/limits.conf, or LimitMEMLOCK=infinity for the job's daemon")
  }

  /// Open MPI puts a file of 4 MB for each rank there, through which ranks of one host talk.
  static func sharedMemory(_ circumstances: Circumstances) -> Finding {
    let name = "shared memory"
    let folder = circumstances.parameters["btl_vader_backing_directory"] ?? "/dev/shm"
    let ranks = circumstances.hostfile == nil ? circumstances.ranks ?? 2 : PhysicalCores.count
    let needed = ranks * (5 << 20)
    guard let system = FileSystem(holding: folder) else {
      return Finding(
        name, .failure, "\(folder) is not there, in which Open MPI shares memory between ranks",
        remedy: "mount a tmpfs there: mount -t tmpfs -o mode=1777 tmpfs \(folder)")
    }
    guard access(folder, W_OK | X_OK) == 0, !system.isReadOnly else {
      return Finding(
        name, .failure, "\(folder) may not be written, in which Open MPI shares memory between ranks",
        remedy: "as root: chmod 1777 \(folder), or mount it anew to be written")
    }
    guard system.freeBytes >= needed else {
      return Finding(
        name, .failure, "\(byteText(system.freeBytes)) free in \(folder); \(ranks) ranks need \(byteText(needed))",
        remedy:
          "enlarge it (as root: mount -o remount,size=1G \(folder); docker run --shm-size=1g), or delete what is left in it"
      )
    }
    return Finding(name, .ok, "\(byteText(system.freeBytes)) free in \(folder)")
  }

  /// The folder in which mpirun keeps the files of a session, sockets among them.
  static func sessionFolder(_ circumstances: Circumstances) -> Finding {
    let name = "session folder"
    let chosen = circumstances.parameters["orte_tmpdir_base"].map { ($0, "orte_tmpdir_base") }
    let named = ["TMPDIR", "TEMP", "TMP"].lazy.compactMap { key in circumstances.environment[key].map { ($0, key) } }
    let (folder, origin) = chosen ?? named.first ?? ("/tmp", "")
    let shown = origin.isEmpty ? folder : "\(folder) (\(origin))"
    let remedy = "set TMPDIR to a folder on this host that this user may write, such as /tmp"
    guard let system = FileSystem(holding: folder), access(folder, W_OK | X_OK) == 0, !system.isReadOnly else {
      return Finding(name, .failure, "\(shown) may not be written or is not there; mpirun needs it", remedy: remedy)
    }
    guard system.freeBytes >= 10 << 20 else {
      return Finding(
        name, .failure, "\(shown) has \(byteText(system.freeBytes)) free; mpirun needs some", remedy: remedy)
    }
    // The address of a local socket has 108 bytes, of which Open MPI takes up to 60 for its own folders.
    guard folder.utf8.count <= 48 else {
      return Finding(name, .warning, "\(shown) is a long name, which mpirun's sockets may not bear", remedy: remedy)
    }
    return Finding(name, .ok, shown)
  }

  /// The bytes of "MemAvailable:  1234 kB".
  static func available(_ text: String) -> Int? {
    for line in SystemFile.lines(text) where line.hasPrefix("MemAvailable:") {
      let words = line.split(separator: " ")
      return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
    }
    return nil
  }

  /// What is left of version 2's limit, nil without one.
  private static func controlGroup() -> Int? {
    func number(_ name: String) -> Int? {
      SystemFile.text("/sys/fs/cgroup/\(name)").flatMap { Int(SystemFile.trimmed($0)) }
    }
    guard let maximum = number("memory.max"), let current = number("memory.current") else { return nil }
    return max(0, maximum - current)
  }

  /// Nil where there is none.
  private static func limit(_ resource: __rlimit_resource) -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max) else {
      return nil
    }
    return Int(limit.rlim_cur)
  }

  private static var adapters: Int {
    guard let folder = opendir("/sys/class/infiniband") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return max(0, count - 2)
  }
}
