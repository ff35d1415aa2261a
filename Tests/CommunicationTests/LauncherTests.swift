import Testing

@testable import Communication

@Suite struct LauncherTests {
  @Test func nothingStartedAProcessWithAnOrdinaryEnvironment() {
    #expect(Launcher.detect(["PATH": "/usr/bin", "HOME": "/root", "OMPI_MCA_btl": "tcp"]) == nil)
  }

  @Test(
    arguments: [
      (["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"], 2, 4),
      (["OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0", "PMIX_RANK": "0"], 0, 1),
      (["PMI_RANK": "3", "PMI_SIZE": "8"], 3, 8),
      (["SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "16", "PMI_RANK": "5", "PMI_SIZE": "16"], 5, 16),
      (["PMIX_RANK": "1"], 1, nil),
    ] as [([String: String], Int?, Int?)])
  func aLauncherIsFoundWithRankAndSize(environment: [String: String], rank: Int?, size: Int?) throws {
    let launcher = try #require(Launcher.detect(environment))
    #expect(launcher.rank == rank)
    #expect(launcher.size == size)
  }

  @Test func mpirunWithinASlurmStepGoesFirst() {
    let launcher = Launcher.detect([
      "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2", "OMPI_COMM_WORLD_SIZE": "6", "OMPI_COMM_WORLD_RANK": "1",
    ])
    #expect(launcher == Launcher(name: "mpirun (Open MPI)", rank: 1, size: 6))
  }

  @Test func aShellWithinASlurmAllocationIsNoLauncher() {
    // A batch script: `SLURM_NTASKS` says what was asked for, but `srun` has started nothing.
    #expect(Launcher.detect(["SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "17"]) == nil)
    // An interactive shell is a step of one task.
    #expect(Launcher.detect(["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "PMIX_RANK": "0"]) == nil)
  }

  @Test func aSlurmStepWithoutPMIIsToldApart() {
    let step = ["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "4"]
    #expect(Launcher.detect(step)?.lacksPMI == true)
    for key in ["PMIX_RANK", "PMI_RANK", "PMI_FD"] {
      #expect(Launcher.detect(step.merging([key: "1"]) { $1 })?.lacksPMI == false)
    }
    #expect(Launcher.detect(["OMPI_COMM_WORLD_SIZE": "4"])?.lacksPMI == false)
  }

  @Test func whatIsNoNumberCountsAsAbsent() {
    #expect(Launcher.detect(["OMPI_COMM_WORLD_SIZE": "many", "PMI_RANK": "-1", "PMI_SIZE": "4"]) == nil)
  }
}
