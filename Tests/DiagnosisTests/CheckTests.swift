import Configuration
import Failures
import Launching
import Testing

@testable import Diagnosis

@Suite struct CheckTests {
  private func circumstances(
    ranks: Int? = nil, _ environment: [String: String] = [:], isRoot: Bool = false,
    change: (inout Settings) -> Void = { _ in }
  ) -> Circumstances {
    var settings = Settings()
    change(&settings)
    // Without a home, and with no file of parameters but this: only what a test says counts.
    let own = ["OMPI_MCA_mca_base_param_files": "/nowhere"].merging(environment) { $1 }
    return Circumstances(settings: settings, ranks: ranks, environment: own, isRoot: isRoot)
  }

  @Test(
    arguments: [
      ("mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/", .openMPI("4.1.4")),
      ("mpiexec (OpenRTE) 4.1.4", .openMPI("4.1.4")), ("mpirun (Open MPI) 5.0.3", .openMPI("5.0.3")),
      ("HYDRA build details:\n    Version:            4.0.2\n    CC: gcc", .other("MPICH's Hydra 4.0.2")),
      (
        "Intel(R) MPI Library for Linux* OS, Version 2021.9",
        .other("it says \"Intel(R) MPI Library for Linux* OS, Version 2021.9\"")
      ),
      ("", .other("it says nothing of its version")),
    ] as [(String, LauncherChecks.Kind)])
  func launchersAreToldApart(_ output: String, _ expected: LauncherChecks.Kind) {
    #expect(LauncherChecks.kind(saying: output) == expected)
  }

  @Test func launcherAndLibraryHaveToBeOfOneSeries() {
    let library = "Open MPI v4.1.4"
    #expect(LauncherChecks.library(.openMPI("4.1.4"), library: library).grade == .ok)
    #expect(LauncherChecks.library(.openMPI("4.1.6"), library: library).grade == .warning)
    for version in ["4.0.4", "5.1.4", "4"] {
      #expect(LauncherChecks.library(.openMPI(version), library: library).grade == .failure)
    }
    #expect(LauncherChecks.library(.openMPI("4.1.4"), library: "MPICH Version: 4.0.2").grade == .failure)
  }

  @Test func rootNeedsBothVariables() {
    let (one, both) = (
      ["OMPI_ALLOW_RUN_AS_ROOT": "1"], ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
    )
    #expect(LauncherChecks.user(circumstances(isRoot: false)).grade == .ok)
    #expect(LauncherChecks.user(circumstances(one, isRoot: true)).grade == .failure)
    #expect(LauncherChecks.user(circumstances(both, isRoot: true)).grade == .ok)
  }

  @Test func slotsAreHeldAgainstRanks() throws {
    let hosts = try Hostfile(text: "a slots=3\nb # its cores\n", name: "hosts")
    #expect(SlotChecks.slots(circumstances(ranks: 7), hosts, cores: 4).grade == .ok)
    #expect(SlotChecks.slots(circumstances(ranks: 8), hosts, cores: 4).grade == .failure)
    #expect(SlotChecks.slots(circumstances(ranks: 5), nil, cores: 4).grade == .failure)
    for allowing in [
      ["OMPI_MCA_rmaps_base_oversubscribe": "1"], ["OMPI_MCA_rmaps_base_mapping_policy": "core:OVERSUBSCRIBE"],
      ["PRTE_MCA_rmaps_default_mapping_policy": "core:oversubscribe"],
    ] {
      #expect(SlotChecks.slots(circumstances(ranks: 5, allowing), nil, cores: 4).grade == .warning)
    }
  }

  @Test func coresAreHeldAgainstRanksAndThreads() {
    #expect(SlotChecks.cores(circumstances(ranks: 4), cores: 4).grade == .ok)
    #expect(SlotChecks.cores(circumstances(ranks: 5), cores: 4).grade == .warning)
    #expect(SlotChecks.cores(circumstances(ranks: 2) { $0.training.threads = 3 }, cores: 4).grade == .warning)
  }

  @Test func boundToCores() {
    #expect(SlotChecks.binding(circumstances(ranks: 4), cores: 8).grade == .warning)
    let byCore = ["OMPI_MCA_rmaps_base_mapping_policy": "core"]
    #expect(SlotChecks.binding(circumstances(ranks: 4, byCore), cores: 8).grade == .ok)
    let none = ["OMPI_MCA_hwloc_base_binding_policy": "none"]
    #expect(SlotChecks.binding(circumstances(ranks: 4, none), cores: 8).grade == .warning)
    #expect(SlotChecks.binding(circumstances(ranks: 9), cores: 8).grade == .ok)
  }

  @Test func interfacesThatLeadNowhereAreNamed() {
    typealias Interface = NetworkChecks.Interface
    let (wire, second) = (Interface(name: "eth0", isVirtual: false), Interface(name: "ib0", isVirtual: false))
    let docker = Interface(name: "docker0", isVirtual: true)
    #expect(NetworkChecks.network(circumstances(), interfaces: [wire]).grade == .ok)
    #expect(NetworkChecks.network(circumstances(), interfaces: []).grade == .ok)
    #expect(NetworkChecks.network(circumstances(), interfaces: [wire, second]).grade == .warning)
    let finding = NetworkChecks.network(circumstances(), interfaces: [docker, wire])
    #expect(finding.grade == .warning && finding.text.contains("docker0"))
    #expect(finding.remedy.contains("OMPI_MCA_btl_tcp_if_include=eth0"))
    for (value, grade) in [("eth0", Finding.Grade.ok), ("10.0.0.0/24", .ok), ("lo", .ok), ("eth7", .failure)] {
      let chosen = circumstances(["OMPI_MCA_btl_tcp_if_include": value])
      #expect(NetworkChecks.network(chosen, interfaces: [docker, wire]).grade == grade)
    }
    #expect(NetworkChecks.isVirtual("docker0") { _ in false } && NetworkChecks.isVirtual("br-12ab") { _ in false })
    #expect(!NetworkChecks.isVirtual("enp3s0") { _ in false })
    #expect(NetworkChecks.isVirtual("switch0") { $0 == "/sys/class/net/switch0/bridge" })
  }

  @Test func transportsHaveToLeaveAWay() throws {
    let two = try Hostfile(text: "a\nb\n", name: "hosts")
    let library = "Open MPI v4.1.4"
    for (value, alone, together) in [
      ("vader,self", true, false), ("tcp,self", true, true), ("^openib", true, true), ("^tcp", true, false),
      ("^vader,tcp", false, false), ("self", false, false), ("vader", false, false), ("^self", false, false),
    ] {
      let chosen = circumstances(["OMPI_MCA_btl": value])
      #expect((NetworkChecks.transports(chosen, nil, library: library).grade == .ok) == alone, "\(value)")
      // openib and its like are left by what does not name them.
      let isExclusion = value.hasPrefix("^")
      if !isExclusion {
        #expect((NetworkChecks.transports(chosen, two, library: library).grade == .ok) == together, "\(value)")
      }
    }
  }

  @Test func parametersComeFromTheEnvironmentBeforeFiles() {
    let files = [
      "/h/.openmpi/mca-params.conf": "# x\nbtl = self\n\n mtl=psm \n",
      "/etc/openmpi/openmpi-mca-params.conf": "btl = ^ofi\npml=ob1",
    ]
    let parameters = MCAParameters(environment: ["HOME": "/h", "OMPI_MCA_mtl": "ofi"]) { files[$0] }
    #expect(parameters["btl"] == "self" && parameters["mtl"] == "ofi" && parameters["pml"] == "ob1")
    #expect(parameters["oob"] == nil)
    let named = MCAParameters(environment: ["HOME": "/h", "OMPI_MCA_mca_base_param_files": "/x:/y"]) {
      ["/x": "btl=tcp,self", "/y": "btl=self\nmtl=a=b"][$0]
    }
    #expect(named["btl"] == "tcp,self" && named["mtl"] == "a=b" && named["pml"] == nil)
  }

  @Test func theInnermostMountCounts() {
    let mounts = """
      /dev/sda1 / ext4 rw 0 0
      server:/home /home nfs4 rw 0 0
      tmpfs /home/a\\040b tmpfs rw 0 0
      overlay /home/x xfs rw 0 0
      tmpfs /home/x tmpfs rw 0 0
      """
    for (path, type) in [
      ("/", "ext4"), ("/homes", "ext4"), ("/home", "nfs4"), ("/home/u/runs", "nfs4"), ("/home/a b/c", "tmpfs"),
      ("/home/x/y", "tmpfs"),
    ] {
      #expect(FileSystem.type(of: path, mounts: mounts) == type, "\(path)")
    }
    #expect(FileSystem.type(of: "/x", mounts: "") == nil)
  }

  @Test func anAdapterNeedsLockedMemory() {
    #expect(MemoryChecks.lockedMemory(adapters: 0).grade == .ok)
    #expect(MemoryChecks.available("MemTotal: 9 kB\nMemAvailable:   1234 kB\n") == 1234 * 1024)
    #expect(MemoryChecks.available("MemAvailable: many kB") == nil)
  }

  @Test func whatJobsSayOfTheirErrors() {
    let output = "-----\nIt looks like\nMPI_INIT failed.\n-----\ndtrain: rank 1: no data; get some\nmore"
    #expect(Trial.reason(output) == "dtrain: rank 1: no data; get some")
    #expect(Trial.reason("\n----\n\n") == "")
    #expect(Trial.reason("----\nA\nB.\n") == "A B.")
  }

  @Test func bytesAreReadable() {
    for (count, text) in [
      (0, "0 bytes"), (999, "999 bytes"), (1400, "1.4 kB"), (20_000_000, "20 MB"), (76_400_000_000, "76 GB"),
    ] {
      #expect(byteText(count) == text)
    }
  }
}
