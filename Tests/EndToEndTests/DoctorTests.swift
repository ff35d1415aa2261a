import Foundation
import Kernels
import Testing

extension EndToEnd {
  /// `dtrain doctor` before machines and settings that are wrong in one way each.
  @Suite(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) struct DoctorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Report: Decodable {
      struct Finding: Decodable {
        let check: String
        let grade: String
        let text: String
        let remedy: String
      }
      let ok: Bool
      let warnings: Int
      let failures: Int
      let findings: [Finding]

      subscript(check: String) -> Finding? { findings.first { $0.check == check } }
    }

    private func examine(
      _ arguments: [String] = [], environment: [String: String] = [:], through: [String] = [],
      dataset: String = "dataset.name=synthetic-digits", status: Int32
    ) throws -> Report {
      let variables = [
        "OMPI_MCA_rmaps_base_oversubscribe": "0", "PRTE_MCA_rmaps_default_mapping_policy": "",
      ].merging(environment) { $1 }
      let run = try Launch(environment: variables, through: through, folder: folder.url)
        .run(["doctor", "--json", dataset] + arguments)
      run.expectOrderlyEnd(status)
      let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
      #expect(report.ok == (status == 0))
      #expect(report.failures == report.findings.count { $0.grade == "failure" })
      for finding in report.findings where finding.grade == "failure" {
        #expect(!finding.text.isEmpty && !finding.remedy.isEmpty)
      }
      return report
    }

    /// The one thing that is wrong is found, with words that tell; nothing else is, but for the trial that it spoils.
    private func expectFailure(
      _ check: String, _ words: String..., arguments: [String] = [], environment: [String: String] = [:],
      through: [String] = [], dataset: String = "dataset.name=synthetic-digits",
      alsoWrong: Set<String> = [], _ location: SourceLocation = #_sourceLocation
    ) throws {
      let report = try examine(
        arguments, environment: environment, through: through, dataset: dataset, status: 1)
      let finding = try #require(report[check], sourceLocation: location)
      #expect(finding.grade == "failure", "\(report)", sourceLocation: location)
      for word in words {
        #expect((finding.text + finding.remedy).contains(word), "\(finding)", sourceLocation: location)
      }
      let others = report.findings.filter { $0.grade == "failure" && ![check, "trial"].contains($0.check) }
      #expect(others.allSatisfy { alsoWrong.contains($0.check) }, "\(others)", sourceLocation: location)
    }

    /// A program that says this, in a folder that then comes first on PATH.
    private func fake(_ name: String, saying text: String) throws -> [String: String] {
      let bin = folder.url.appending(path: "bin")
      try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
      let script = bin.appending(path: name)
      try "#!/bin/sh\ncat <<'END'\n\(text)\nEND\n".write(to: script, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
      return ["PATH": bin.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")]
    }

    private static let hydra = "HYDRA build details:\n    Version:                                 4.0.2"

    @Test func aMachineThatIsInOrderPasses() throws {
      let report = try examine(status: 0)
      #expect(report["trial"]?.grade == "ok")
      #expect(report["exchange"]?.text.contains("2 ranks on ") == true)
      // What it has made to find out is gone.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
      let text = try Launch(folder: folder.url).run(["doctor", "dataset.name=synthetic-digits"])
      text.expectOrderlyEnd(0)
      #expect(text.line("ok       trial ") != nil)
    }

    @Test func withoutALauncher() throws {
      try expectFailure("launcher", "no mpirun on PATH", "launch/setup.sh", environment: ["PATH": folder.url.path])
    }

    @Test func withAnotherImplementationsLauncher() throws {
      try expectFailure(
        "launcher", "MPICH's Hydra 4.0.2", environment: try fake("mpirun", saying: Self.hydra),
        alsoWrong: ["MPI library"])
    }

    @Test func withAnotherImplementationsLauncherBesides() throws {
      try expectFailure(
        "launcher", "bin/mpiexec is not", "MPICH's Hydra", environment: try fake("mpiexec", saying: Self.hydra))
    }

    @Test func withAnotherVersionsLauncher() throws {
      try expectFailure("MPI library", "1.2.3", environment: try fake("mpirun", saying: "mpirun (Open MPI) 1.2.3"))
    }

    @Test(.enabled(if: geteuid() == 0, "only root is refused")) func asRootWithoutPermission() throws {
      try expectFailure(
        "user", "OMPI_ALLOW_RUN_AS_ROOT=1", environment: ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": ""])
    }

    @Test func withTooFewSlots() throws {
      try "# one\nlocalhost slots=2\n".write(toFile: folder.path("hosts"), atomically: true, encoding: .utf8)
      try expectFailure(
        "slots", "2 slots", "fewer than 4 ranks", arguments: ["-n", "4", "--hostfile", folder.path("hosts")])
      let allowed = try examine(
        ["-n", "4", "--hostfile", folder.path("hosts")], environment: ["OMPI_MCA_rmaps_base_oversubscribe": "1"],
        status: 0)
      #expect(allowed["slots"]?.grade == "warning")
    }

    @Test(arguments: [
      ("localhost slots", "hosts:1: 'slots' is not understood"), ("localhost slot=2", "did you mean slots=N?"),
      ("a slots=2\nb slots=none", "hosts:2: "), ("\n# nothing\n", "names no host"),
    ]) func withAHostfileThatIsWrong(_ text: String, _ expected: String) throws {
      try text.write(toFile: folder.path("hosts"), atomically: true, encoding: .utf8)
      try expectFailure("hostfile", expected, arguments: ["--hostfile", folder.path("hosts")])
    }

    @Test func withMoreRanksThanMicrobatches() throws {
      try expectFailure(
        "microbatches", "fewer than 21 ranks", "training.microbatch to 4", arguments: ["-n", "21"],
        environment: ["OMPI_MCA_rmaps_base_oversubscribe": "1"])
    }

    @Test func withoutData() throws {
      try expectFailure(
        "data", "/nowhere", "launch/fetch-mnist.sh", dataset: "dataset.path=/nowhere", alsoWrong: ["exchange"])
    }

    @Test func withDataThatAreDamaged() throws {
      for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
        try Data([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28] + [UInt8](repeating: 7, count: 2 * 784))
          .write(to: folder.url.appending(path: name))
      }
      for name in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] {
        try Data([0, 0, 8, 1, 0, 0, 0, 2, 3, 9]).write(to: folder.url.appending(path: name))
      }
      let dataset = "dataset.path=\(folder.url.path)"
      let others = try examine(dataset: dataset, status: 0)
      #expect(others["data"]?.grade == "warning")
      #expect(others["data"]?.text.contains("not mnist as it was published") == true)
      try Data([0, 0, 8, 1, 0, 0, 0, 2, 3]).write(to: folder.url.appending(path: "t10k-labels-idx1-ubyte"))
      try expectFailure("data", "t10k-labels-idx1-ubyte is truncated", dataset: dataset)
    }

    @Test(.enabled(if: MNIST.folder != nil, "MNIST is missing")) func withDataAsPublished() throws {
      let report = try examine(dataset: "dataset.path=\(MNIST.folder ?? "")", status: 0)
      #expect(report["data"]?.grade == "ok" && report["data"]?.text.contains("as it was published") == true)
    }

    @Test func withARunDirectoryThatCannotBeWritten() throws {
      try expectFailure("run directory", "/dev/null", arguments: ["--run-dir", "/dev/null/run"])
      try expectFailure("run directory", "/proc/self", arguments: ["--run-dir", "/proc/self/run"])
    }

    @Test(.enabled(if: MountNamespace.isPossible, "mounts need root")) func withARunDirectoryThatIsFull() throws {
      try FileManager.default.createDirectory(atPath: folder.path("small"), withIntermediateDirectories: true)
      try expectFailure(
        "run directory", "kB free", "checkpoints", arguments: ["--run-dir", folder.path("small/run")],
        through: MountNamespace.with("mount -t tmpfs -o size=256k tmpfs \(folder.path("small"))"))
    }

    @Test(.enabled(if: MountNamespace.isPossible, "mounts need root")) func withTooLittleSharedMemory() throws {
      try expectFailure(
        "shared memory", "free in /dev/shm", "shm-size",
        through: MountNamespace.with("mount -t tmpfs -o size=1m tmpfs /dev/shm"))
      try expectFailure(
        "shared memory", "may not be written",
        through: MountNamespace.with("mount -t tmpfs -o ro tmpfs /dev/shm"))
    }

    @Test func withoutAPlaceForSharedMemory() throws {
      try expectFailure(
        "shared memory", "/dev/null/x", environment: ["OMPI_MCA_btl_vader_backing_directory": "/dev/null/x"])
    }

    @Test func withoutASessionFolder() throws {
      try expectFailure("session folder", "/dev/null/x (TMPDIR)", environment: ["TMPDIR": "/dev/null/x"])
    }

    @Test(arguments: ["self", "^vader,tcp", "vader,tcp"]) func withoutATransport(_ transports: String) throws {
      try expectFailure("transports", "OMPI_MCA_btl=\(transports)", environment: ["OMPI_MCA_btl": transports])
    }

    @Test func withALayerThatOnlyTheTrialFindsWanting() throws {
      try expectFailure("trial", "ended with code", environment: ["OMPI_MCA_pml": "cm", "OMPI_MCA_mtl": "none"])
    }

    @Test func withAnInterfaceThatIsNotThere() throws {
      try expectFailure(
        "network", "nosuch0", environment: ["OMPI_MCA_btl_tcp_if_include": "nosuch0"])
    }

    @Test(.enabled(if: Launch.find("prlimit") != nil)) func withTooLittleMemory() throws {
      try expectFailure(
        "memory", "address space", "ulimit -v unlimited", through: ["prlimit", "--as=700000000"])
    }

    @Test(
      .enabled(if: Launch.find("qemu-x86_64") != nil && ProcessorBaseline.required == .x86v3, "no processor to emulate")
    ) func onAnOlderProcessor() throws {
      try expectFailure(
        "processor", "DTRAIN_PROCESSOR=x86-64", through: ["qemu-x86_64", "-cpu", "Nehalem"])
    }

    @Test func underALauncherTheRanksSpeak() throws {
      let run = try Launch.run("doctor", "dataset.name=synthetic-digits", ranks: 3, folder: folder.url)
      run.expectOrderlyEnd(0)
      #expect(run.line("ok       exchange")?.contains("3 ranks on ") == true)
      let wrong = try Launch.run("doctor", "dataset.path=/nowhere", ranks: 2, folder: folder.url)
      #expect(wrong.status == 1)
      #expect(wrong.line("failure  data")?.contains("/nowhere") == true)
    }
  }
}

/// Mounts that only what is started through them sees.
enum MountNamespace {
  static let isPossible: Bool = {
    guard geteuid() == 0, let unshare = Launch.find("unshare") else { return false }
    let process = Process()
    process.executableURL = unshare
    process.arguments = ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// - Parameter command: what mounts, for the shell.
  static func with(_ command: String) -> [String] {
    ["unshare", "-m", "--propagation", "private", "sh", "-c", "\(command) && exec \"$0\" \"$@\""]
  }
}
