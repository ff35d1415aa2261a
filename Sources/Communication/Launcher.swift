#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What started this process as one rank of several, as far as the environment tells.
public struct Launcher: Equatable, Sendable {
  /// What a person calls it: "mpirun (Open MPI)".
  public let name: String
  /// This process's number, where the launcher says it.
  public let rank: Int?
  /// The number of processes, where the launcher says it.
  public let size: Int?
  /// Whether it has left the processes no way to find each other: a step of SLURM's without any PMI.
  public let lacksPMI: Bool

  public init(name: String, rank: Int?, size: Int?, lacksPMI: Bool = false) {
    self.name = name
    self.rank = rank
    self.size = size
    self.lacksPMI = lacksPMI
  }

  /// The launcher of the process with this environment, or nil: then the process is alone, and MPI stays untouched.
  ///
  /// Within a SLURM allocation a process may be started by a shell instead of `srun`, so only what `srun` alone sets
  /// counts, and a step of one task (an interactive shell's) is not a job of several ranks. What comes from the
  /// innermost launcher goes first: `mpirun` within a SLURM step sees both.
  public static func detect(_ environment: [String: String]) -> Launcher? {
    func number(_ key: String) -> Int? { environment[key].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    if let size = number("OMPI_COMM_WORLD_SIZE") {
      return Launcher(name: "mpirun (Open MPI)", rank: number("OMPI_COMM_WORLD_RANK"), size: size)
    }
    let slurmRank = number("SLURM_PROCID")
    let slurmSize = slurmRank == nil ? nil : number("SLURM_STEP_NUM_TASKS")
    if slurmSize == 1 { return nil }
    if let slurmSize {
      let lacksPMI = ["PMIX_RANK", "PMI_RANK", "PMI_FD"].allSatisfy { environment[$0] == nil }
      return Launcher(name: "srun (SLURM)", rank: slurmRank, size: slurmSize, lacksPMI: lacksPMI)
    }
    if let rank = number("PMI_RANK"), let size = number("PMI_SIZE") {
      return Launcher(name: "a PMI launcher (MPICH, Intel MPI, …)", rank: rank, size: size)
    }
    if let rank = number("PMIX_RANK") { return Launcher(name: "a PMIx launcher", rank: rank, size: nil) }
    return nil
  }

  /// The launcher of this process.
  public static func detect() -> Launcher? {
    var environment: [String: String] = [:]
    for key in keys {
      if let value = getenv(key) { environment[key] = String(cString: value) }
    }
    return detect(environment)
  }

  private static let keys = [
    "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "PMI_RANK", "PMI_SIZE",
    "PMI_FD", "PMIX_RANK",
  ]
}
