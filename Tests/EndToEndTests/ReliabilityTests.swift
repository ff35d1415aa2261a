import Foundation
import Testing

extension EndToEnd {
  /// Errors of processors, made on purpose in real jobs, are found and named; what a rank did can be done again.
  @Suite struct ReliabilityTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func train(
      _ name: String, ranks: Int? = nil, flip: String? = nil, _ arguments: String...
    ) throws -> Execution {
      var launch = Launch(ranks: ranks, folder: folder.url)
      if let flip { launch.environment["DTRAIN_FLIP"] = flip }
      return try launch.run(["train", "--quiet", "--run-dir", name] + ShortRun.settings + arguments)
    }

    private func checkpoints(_ name: String) -> [String] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path("\(name)/checkpoints"))) ?? []
      return names.filter { $0.hasPrefix("step-") }.sorted()
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func aRankWithOtherWeightsEndsTheJobAndTheLastCheckpointIsGood() throws {
      let undisturbed = try train("whole", "--max-steps", "8")
      for (name, ranks, more) in [("mpi", 3 as Int?, []), ("replicas", nil, ["--replicas", "3"])] {
        let arguments = ["--max-steps", "8", "reliability.agree_every=5"] + more
        var launch = Launch(ranks: ranks, folder: folder.url)
        launch.environment["DTRAIN_FLIP"] = "weights:2:4:100"
        let run = try launch.run(["train", "--quiet", "--run-dir", name] + ShortRun.settings + arguments)
        run.expectOrderlyEnd(1)
        let line = try #require(run.ownErrors.first)
        #expect(line.contains("after step 5 not all ranks have the state of most ranks: it differs on rank 2 ("))
        #expect(line.contains(") first in W2; "), "\(line)")
        // An epoch has three steps; the one after the second would have been written from ranks that differ.
        #expect(checkpoints(name) == ["step-00000003.safetensors"])
        let resumed = try train(name, "--max-steps", "8", "--resume", "auto")
        resumed.expectOrderlyEnd(0)
        #expect(resumed.output == undisturbed.output)
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func aGradientWithAnotherBitIsFoundByTheNeighbour() throws {
      for ranks in [2, 3] {
        let run = try train(
          "mpi\(ranks)", ranks: ranks, flip: "gradient:1:6:40", "--max-steps", "8", "reliability.verify_every=3")
        run.expectOrderlyEnd(1)
        // The sixth step has the short batch: four microbatches, of which rank 1 holds the last two or the second.
        let line = try #require(run.ownErrors.first)
        #expect(line.contains("at step 6 rank 1 ("), "\(line)")
        #expect(line.contains(") has computed another gradient of microbatch \(ranks == 2 ? 2 : 1) "), "\(line)")
        #expect(line.contains(" than rank \(2 % ranks) ("), "\(line)")
      }
      let alone = try train("alone", flip: "gradient:0:6", "--max-steps", "8", "reliability.verify_every=2")
      alone.expectOrderlyEnd(1)
      #expect(alone.errors.contains("at step 6 rank 0 ("))
      #expect(alone.errors.contains(" twice, to gradients of other bits"))
    }

    @Test func anErrorThatCannotBeMadeIsRefused() throws {
      for (flip, place) in [
        ("weights", "DTRAIN_FLIP=weights asks for no error"), ("weights:1:2", "names rank 1"),
        ("gradient:0:9", "names rank 0, step 9"), ("gradient:0:2:99999999", "number 99999999"),
      ] {
        let run = try train("run", flip: flip, "--max-steps", "8")
        run.expectOrderlyEnd(64)
        #expect(run.errors.contains(place), "\(run.errors)")
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func aReplayIsWhatARankOfALiveJobComputed() throws {
      let run = try train(
        "job", ranks: 3, "--max-steps", "7", "--record-gradients", "6", "checkpoint.every_steps=4")
      run.expectOrderlyEnd(0)
      let lines = try String(contentsOfFile: folder.path("job/gradients-step-6.jsonl"), encoding: .utf8)
        .split(separator: "\n")
      // Of 80 samples in batches of 33 the sixth has 14, in microbatches of 4.
      #expect(lines.count == 4)
      var ranks: Set<Int> = []
      for (microbatch, line) in lines.enumerated() {
        let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(record["microbatch"] as? Int == microbatch && record["step"] as? Int == 6)
        ranks.insert(try #require(record["rank"] as? Int))
        let replay = try Launch(folder: folder.url).run([
          "replay", "--checkpoint", "job/checkpoints/step-00000004.safetensors", "--step", "6", "--microbatch",
          "\(microbatch)", "training.threads=2",
        ])
        replay.expectOrderlyEnd(0)
        let digest = try #require(record["gradient_digest"] as? String)
        #expect(replay.line("gradient digest ").map(String.init) == "gradient digest \(digest)")
        #expect(replay.line("trained in between: steps 5 to 5") != nil)
        #expect(replay.line("convolution 2 ") != nil && replay.line("loss ") != nil)
      }
      #expect(ranks == [0, 1, 2])
    }

    @Test func whatCannotBeReplayedIsTold() throws {
      try train("run", "--max-steps", "3").expectOrderlyEnd(0)
      let file = "run/checkpoints/step-00000003.safetensors"
      for (arguments, code, place) in [
        (["--checkpoint", file], 64, "--microbatch"),
        (["--microbatch", "0"], 64, "--checkpoint"),
        (["--checkpoint", file, "--microbatch", "9"], 64, "from 0 to 8"),
        (["--checkpoint", file, "--microbatch", "-1"], 64, "-1"),
        (["--checkpoint", file, "--microbatch", "0", "--step", "3"], 64, "--step 4 or later"),
        (["--checkpoint", file, "--microbatch", "0", "seed=1"], 64, "seed would change the bits"),
        (["--checkpoint", "run/weights.safetensors", "--microbatch", "0"], 65, "no checkpoint"),
        (["--checkpoint", "run/none", "--microbatch", "0"], 66, "run/none"),
      ] as [([String], Int32, String)] {
        let run = try Launch(folder: folder.url).run(["replay"] + arguments)
        run.expectOrderlyEnd(code)
        #expect(run.ownErrors.count == 1 && run.errors.contains(place), "\(run.errors)")
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func everyRankKeepsALogWithTheFailureInIt() throws {
      for ranks in [nil, 3] {
        let log = "logs\(ranks ?? 0)/deep"
        try train("good\(ranks ?? 0)", ranks: ranks, "--max-steps", "3", "--log-dir", log).expectOrderlyEnd(0)
        let bad = try train(
          "bad\(ranks ?? 0)", ranks: ranks, flip: "gradient:0:2", "--max-steps", "3", "--log-dir", log,
          "reliability.verify_every=1")
        bad.expectOrderlyEnd(1)
        for rank in 0..<(ranks ?? 1) {
          let text = try String(contentsOfFile: folder.path("\(log)/rank-000\(rank).log"), encoding: .utf8)
          let lines = text.split(separator: "\n")
          #expect(lines.allSatisfy { $0.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}  \S/) }, "\(text)")
          #expect(text.contains("rank \(rank) of ") && text.contains("made step 1 (epoch 1)"), "\(text)")
          #expect(text.contains("  ends well\n"), "\(text)")
          #expect(lines.last?.contains("  ends: at step 2 rank 0 (") == true, "\(text)")
          #expect(text.contains("  weights digest sha256:") == (rank == 0))
        }
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func aRankWaitsForADebuggerAndTheOthersForIt() throws {
      for ranks in [nil, 2] {
        let rank = ranks == nil ? 0 : 1
        let errors = folder.url.appending(path: "errors")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        let job = try Launch(ranks: ranks, folder: folder.url).start(
          [
            "train", "--quiet", "--run-dir", "run\(rank)", "--max-steps", "3", "--wait-for-debugger", "\(rank)",
            "communication.timeout_seconds=0.5",
          ] + ShortRun.settings, output: FileHandle.nullDevice, errors: try FileHandle(forWritingTo: errors))
        var waiting: Int32?
        for _ in 0..<200 where waiting == nil && job.isRunning {
          usleep(50_000)
          let text = try String(contentsOf: errors, encoding: .utf8)
          waiting = text.firstMatch(of: /rank \d waits for a debugger: process (\d+) on/).flatMap { Int32($0.1) }
        }
        // Longer than the others would have waited for it.
        usleep(1_000_000)
        #expect(job.isRunning)
        kill(try #require(waiting), SIGCONT)
        job.waitUntilExit()
        #expect(job.terminationStatus == 0)
      }
      let none = try train("none", "--wait-for-debugger", "1", "--max-steps", "3")
      none.expectOrderlyEnd(64)
    }

    @Test func whatIsWrittenHasThePermissionsThatTheUserLeaves() throws {
      for (mask, file, directory) in [("077", 0o600, 0o700), ("027", 0o640, 0o750), ("022", 0o644, 0o755)] {
        let shell = ["sh", "-c", "umask \(mask) && exec \"$0\" \"$@\""]
        let run = try Launch(through: shell, folder: folder.url).run(
          [
            "train", "--quiet", "--run-dir", "deep\(mask)/run", "--max-steps", "3", "--log-dir", "deep\(mask)/logs",
            "--record-gradients", "2", "--trace", "deep\(mask)/traces/trace.json",
          ] + ShortRun.settings)
        run.expectOrderlyEnd(0)
        let root = folder.url.appending(path: "deep\(mask)")
        let paths = [root.path] + (FileManager.default.subpaths(atPath: root.path) ?? []).map { root.path + "/" + $0 }
        #expect(paths.count > 10)
        for path in paths {
          let attributes = try FileManager.default.attributesOfItem(atPath: path)
          let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
          #expect(attributes[.posixPermissions] as? Int == (isFolder ? directory : file), "\(path)")
        }
      }
    }
  }
}
