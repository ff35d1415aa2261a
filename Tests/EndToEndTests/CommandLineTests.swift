import Foundation
import Kernels
import Testing

extension EndToEnd {
  @Suite struct CommandLineTests {
    @Test(arguments: [["--help"], ["-h"], ["help"], ["--version"], ["help", "train"], ["train", "--help"]])
    func whatIsAskedForGoesToStandardOutput(_ arguments: [String]) throws {
      let run = try Launch().run(arguments)
      run.expectOrderlyEnd(0)
      #expect(run.output.hasPrefix("dtrain"))
      #expect(run.errors.isEmpty)
    }

    @Test func everySubcommandHasHelpWithExamplesAndExitCodes() throws {
      let names = try Launch.run("--help").output.split(separator: "\n").drop { $0 != "Subcommands:" }.dropFirst()
        .prefix { $0.hasPrefix("  ") }.filter { !$0.hasPrefix("   ") }.compactMap {
          $0.split(separator: " ").first.map(String.init)
        }
        .filter { $0 != "help" && !$0.hasPrefix("-") }
      #expect(names.count >= 3)
      for name in names {
        let help = try Launch().run([name, "--help"]).output
        for title in ["Usage:", "Options:", "Examples:", "Exit codes:"] {
          #expect(help.contains("\n\(title)\n"), "\(name) --help")
        }
      }
    }

    /// Arguments, exit code, and what the one line has to hold.
    @Test(arguments: [
      (["trian"], 64, "did you mean train?"),
      (["--max-step", "3"], 64, "did you mean --max-steps?"),
      (["--max-steps"], 64, "--max-steps has no value"),
      (["train", "--max-steps", "0"], 64, "at least 1"),
      (["train", "--replicas", "two"], 64, "'two' is not a whole number"),
      (["train", "quickly"], 64, "settings are written key=value"),
      (["evaluate"], 64, "--weights FILE"),
      (["inspect"], 64, "inspect needs FILE"),
      (["inspect", "a", "b"], 64, "unexpected argument 'b'"),
      (["traning.epochs=1"], 78, "did you mean training.epochs?"),
      (["training.epochs=many"], 78, "training.epochs"),
      (["training.batch=0"], 78, "training.batch"),
      (["--config", "nowhere.yaml"], 66, "nowhere.yaml"),
      (["dataset.path=/nowhere"], 66, "/nowhere"),
      (["inspect", "/nowhere/w.safetensors"], 66, "/nowhere/w.safetensors"),
      (["evaluate", "--weights", "/nowhere/w.safetensors"], 66, "/nowhere/w.safetensors"),
      (["dataset.name=synthetic-digits", "--run-dir", "/dev/null/run"], 73, "/dev/null/run"),
      (
        ["dataset.name=synthetic-digits", "training.microbatch=50", "--replicas", "3"], 78, "training.microbatch to 49"
      ),
      (
        ["dataset.name=synthetic-digits", "model.paddings=[0, 0, 0, 0, 0, 0]", "model.strides=[4, 4, 4, 4, 4, 4]"], 78,
        "fit"
      ),
    ])
    func whatIsWrongIsToldInOneLine(_ arguments: [String], _ code: Int32, _ expected: String) throws {
      let run = try Launch().run(arguments)
      run.expectOrderlyEnd(code)
      #expect(run.errors.hasPrefix("dtrain: "))
      #expect(run.errors.count { $0 == "\n" } == 1, "\(run.errors)")
      #expect(run.errors.contains(expected), "\(run.errors)")
      #expect(run.errors.contains("; "), "\(run.errors)")
      #expect(run.output.isEmpty)
    }

    @Test func anErrorInAFileOfSettingsHasItsLine() throws {
      let folder = try TemporaryFolder()
      try "seed: 1\ntraining:\n  epoch: 3\n".write(
        toFile: folder.path("own.yaml"), atomically: true, encoding: .utf8)
      let run = try Launch.run("--config", "own.yaml", folder: folder.url)
      run.expectOrderlyEnd(78)
      #expect(run.errors.hasPrefix("dtrain: own.yaml:3: unknown key"))
      #expect(run.errors.contains("did you mean training.epochs?"))
    }

    @Test func brokenWeightsAreBadData() throws {
      let folder = try TemporaryFolder()
      for (name, bytes) in [("empty", Data()), ("noise", Data((0..<2000).map { UInt8(truncatingIfNeeded: $0 * 37) }))] {
        try bytes.write(to: folder.url.appending(path: name))
        for command in [["inspect", name], ["evaluate", "--weights", name]] {
          let run = try Launch(folder: folder.url).run(command)
          run.expectOrderlyEnd(65)
          #expect(run.ownErrors.count == 1)
        }
      }
    }

    @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full"))) func aFullDiskIsToldOfResults() throws
    {
      let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
      let errors = Pipe()
      let process = try Launch().start(["--help"], output: full, errors: errors)
      process.waitUntilExit()
      #expect(process.terminationStatus == 74)
      let text = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
      #expect(text.hasPrefix("dtrain: standard output: No space left on device; "))
    }

    @Test func aReaderThatGoesDoesNotEndARun() throws {
      let folder = try TemporaryFolder()
      let output = Pipe()
      let process = try Launch(folder: folder.url).start(
        ["--max-steps", "3", "--run-dir", "run", "--progress", "plain"] + ShortRun.settings, output: output,
        errors: FileHandle.nullDevice)
      try output.fileHandleForReading.close()
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      #expect(FileManager.default.fileExists(atPath: folder.path("run/weights.safetensors")))
    }

    @Test(
      .enabled(if: Launch.find("qemu-x86_64") != nil && ProcessorBaseline.required == .x86v3, "no processor to emulate")
    )
    func anOlderProcessorIsToldBeforeAnyKernelRuns() throws {
      let old = Launch(through: ["qemu-x86_64", "-cpu", "Nehalem"])
      for command in [["train"], ["evaluate", "--weights", "w.safetensors"]] {
        let run = try old.run(command)
        run.expectOrderlyEnd(69)
        #expect(run.errors.contains("DTRAIN_PROCESSOR=x86-64 swift build"))
      }
      try old.run(["--help"]).expectOrderlyEnd(0)
    }

    @Test(
      .enabled(
        if: Launch.find("qemu-x86_64") != nil && VectorWidth.used == .bits512, "no processor without AVX-512 to emulate"
      )
    )
    func aProcessorWithoutWideVectorsTrainsTheSameBits() throws {
      let folder = try TemporaryFolder()
      let digests = try [[], ["qemu-x86_64", "-cpu", "Haswell"]].map { emulator in
        let run = try Launch(through: emulator, folder: folder.url).run(
          ["train", "--quiet", "--max-steps", "1", "--run-dir", "run\(emulator.count)"] + ShortRun.settings
            + ["model.filters=[16, 32]"])
        run.expectOrderlyEnd(0)
        return run.line("weights digest")
      }
      #expect(digests[0] != nil && digests[0] == digests[1])
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func underALauncherRankZeroAloneSpeaks() throws {
      let version = try Launch.run("--version", ranks: 3)
      version.expectOrderlyEnd(0)
      #expect(version.output.count { $0 == "\n" } == 1)
      let wrong = try Launch.run("--nonsense", ranks: 3)
      wrong.expectOrderlyEnd(64)
      #expect(wrong.ownErrors.first == "dtrain: rank 0: unknown option --nonsense; see 'dtrain train --help'")
      let replicas = try Launch.run("--replicas", "2", ranks: 2)
      replicas.expectOrderlyEnd(64)
      #expect(replicas.errors.contains("--replicas under mpirun"))
    }
  }
}
