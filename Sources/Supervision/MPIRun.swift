#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How mpirun is called: its arguments, and what it needs in the environment.
struct MPIRun {
  /// Where ranks may run; nil where mpirun knows it by itself: this host, or what a batch system has given.
  var hosts: [HostSlots]?
  /// Further options of mpirun.
  var options: [String]

  /// What the ranks are told besides: a daemon on another host hands on nothing by itself.
  private static let handedOn = ["DTRAIN_LAUNCH", "DTRAIN_STARTED_BY", "DTRAIN_DATA", "DTRAIN_FAULT"]
  private static let batchSystems = ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"]

  func arguments(ranks: Int, _ program: [String]) -> [String] {
    var words = ["mpirun", "-n", "\(ranks)"]
    if let hosts { words += ["--host", hosts.map(\.argument).joined(separator: ",")] }
    for name in Self.handedOn where getenv(name) != nil { words += ["-x", name] }
    return words + options + program
  }

  /// Whether a host can be reached is what mpirun itself finds out.
  static func probe(_ host: HostSlots, options: [String]) -> [String] {
    MPIRun(hosts: [HostSlots(host: host.host, slots: 1)], options: options).arguments(ranks: 1, ["true"])
  }

  /// Sets what root needs, and what more ranks than cores need on this host. What is set already stays.
  func prepareEnvironment() {
    if geteuid() == 0 { set(["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]) }
    set(["OMP_NUM_THREADS": "1"])
    // Where hosts are named they say how many ranks they take.
    guard hosts == nil, !Self.batchSystems.contains(where: { getenv($0) != nil }) else { return }
    set([
      "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_rmaps_base_mapping_policy": "core",
      "PRTE_MCA_rmaps_default_mapping_policy": "core:oversubscribe",
    ])
  }

  private func set(_ variables: [String: String]) {
    for (name, value) in variables { setenv(name, value, 0) }
  }
}
