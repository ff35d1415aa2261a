import Communication
import Failures
import Launching
import Timeline

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What `dtrain doctor` does, before a job and within one.
public enum Diagnosis {
  /// Looks at this host, and tries a job of a few ranks.
  ///
  /// - Parameter processor: what there is to say of this processor.
  public static func beforehand(_ circumstances: Circumstances, processor: Finding) -> Report {
    let (launcher, kind) = LauncherChecks.launcher(circumstances)
    var findings = [launcher, LauncherChecks.library(kind), LauncherChecks.user(circumstances), processor]
    var hostfile: Hostfile?
    do throws(Failure) {
      hostfile = try SlotChecks.hostfile(circumstances)
      if let hostfile { findings.append(Finding("hostfile", .ok, "\(hostfile.hosts.count) hosts")) }
    } catch {
      findings.append(Finding("hostfile", .failure, error.cause, remedy: error.remedy))
    }
    findings += [
      SlotChecks.cores(circumstances), SlotChecks.slots(circumstances, hostfile),
      SlotChecks.microbatches(circumstances), SlotChecks.binding(circumstances),
      NetworkChecks.network(circumstances), NetworkChecks.transports(circumstances, hostfile),
      MemoryChecks.memory(circumstances), MemoryChecks.lockedMemory(), MemoryChecks.sharedMemory(circumstances),
      MemoryChecks.sessionFolder(circumstances), DataChecks.data(circumstances),
      RunDirectoryChecks.directory(circumstances), RunDirectoryChecks.fileSystem(circumstances, hostfile),
    ]
    let hopeless = ["launcher", "user", "hostfile", "processor"]
    if findings.contains(where: { $0.grade == .failure && hopeless.contains($0.check) }) {
      findings.append(Finding("trial", .skipped, "until what failed above is mended"))
    } else {
      findings += Finding.besides(findings, Trial.run(circumstances, hostfile), on: SingleProcess().hosts[0])
    }
    return Report(findings)
  }

  /// Has the ranks of a job talk to each other, compares their clocks, and looks at each host's data and memory. Every
  /// rank has to call it.
  ///
  /// - Returns: the report on rank 0, nil elsewhere.
  /// - Throws: `.failure` where a rank does not answer, `.inputOutput` where bytes arrive changed.
  public static func within(
    _ communicator: any Communicator, _ circumstances: Circumstances
  ) throws(Failure) -> Report? {
    let start = monotonicNanoseconds()
    try RankExchange.verify(communicator)
    let milliseconds = (monotonicNanoseconds() - start) / 1_000_000
    let hosts = communicator.hosts
    let firstRanks = hosts.indices.filter { !hosts[..<$0].contains(hosts[$0]) }
    let count = "\(communicator.size) rank\(communicator.size == 1 ? "" : "s") on \(hosts[0])"
    let more = firstRanks.count > 1 ? " and \(firstRanks.count - 1) more" : ""
    var findings = [
      Finding(
        "exchange", .ok,
        "\(count)\(more): \(RankExchange.byteCount >> 20) MB each way around the ring in \(milliseconds) ms"),
      try clocks(communicator, of: firstRanks),
    ]
    var own: [Finding] = []
    if communicator.size > 1 && firstRanks.contains(communicator.rank) {
      own = [MemoryChecks.sharedMemory(circumstances), DataChecks.data(circumstances)].filter { $0.grade != .ok }
        .map { Finding($0.check, $0.grade, "\(hosts[communicator.rank]): \($0.text)", remedy: $0.remedy) }
    }
    findings += try RankExchange.gather(own, on: communicator)
    return communicator.rank == 0 ? Report(findings) : nil
  }

  /// The wall clocks of the hosts, by one rank of each.
  private static func clocks(
    _ communicator: any Communicator, of ranks: [Int]
  ) throws(Failure) -> Finding {
    let offset = try ClockOffset.measured(communicator, for: ranks.filter { $0 != 0 }) {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
    let offsets = try RankExchange.gather(offset, on: communicator)
    guard ranks.count > 1, let worst = ranks.max(by: { offsets[$0].magnitude < offsets[$1].magnitude }) else {
      return Finding("clocks", .skipped, "one host")
    }
    let seconds = Double(offsets[worst].magnitude) / 1e9
    let shown = seconds < 1 ? "\((seconds * 1e4).rounded() / 10) ms" : "\((seconds * 10).rounded() / 10) s"
    guard seconds < 1 else {
      return Finding(
        "clocks", .warning, "\(communicator.hosts[worst]) and \(communicator.hosts[0]) are \(shown) apart",
        remedy: "set the clocks by NTP (systemd-timesyncd, chrony): the times in logs and files do not agree")
    }
    return Finding("clocks", .ok, "\(ranks.count) hosts, at most \(shown) apart")
  }
}
