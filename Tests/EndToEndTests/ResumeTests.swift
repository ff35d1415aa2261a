import Foundation
import Testing

extension EndToEnd {
  /// A run that was stopped anywhere goes on, on any number of ranks of any kind, to the bits of one that was not.
  @Suite struct ResumeTests {
    private let folder: TemporaryFolder
    /// 80 samples in batches of 33 are 3 steps an epoch, the last of them short.
    private static let steps = 8
    private let arguments = ["train", "--max-steps", "\(steps)", "--quiet"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String], ranks: Int? = nil, status: Int32 = 0) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(arguments)
      run.expectOrderlyEnd(status)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    private func checkpoints(_ name: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path("\(name)/checkpoints"))
        .filter { $0.hasSuffix(".safetensors") }.sorted()
    }

    private func file(_ step: Int) -> String { "step-0000000\(step).safetensors" }

    /// The fields of all lines of metrics that do not depend on time.
    private func metrics(_ name: String) throws -> [[String: String]] {
      try String(decoding: bytes("\(name)/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
        .filter { !$0.hasPrefix(#"{"kind":"ranks""#) }.map { line in
          let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
          return fields.mapValues { "\($0)" }.filter { !["seconds", "images_per_second"].contains($0.key) }
        }
    }

    private let all = ["checkpoint.every_steps=1", "checkpoint.keep=100"]

    @Test func fromEveryStepToTheSameBits() throws {
      let whole = try run(arguments + ["--run-dir", "whole"] + all)
      #expect(try checkpoints("whole") == (1...Self.steps).map(file))
      for step in 1...Self.steps {
        for (kind, more, ranks) in [
          ("alone", [], nil), ("replicas", ["--replicas", "3"], nil), ("mpi", [], step % 3 + 1),
        ] as [(String, [String], Int?)] where ranks == nil || Launch.isMPIPossible {
          let name = "\(kind)\(step)"
          let resumed = try run(
            arguments + ["--run-dir", name, "--resume", "whole/checkpoints/\(file(step))"] + more, ranks: ranks)
          #expect(resumed.output == whole.output, "\(name)")
          #expect(try bytes("\(name)/weights.safetensors") == bytes("whole/weights.safetensors"), "\(name)")
          // Equal states are equal files, whatever has computed them. At the last step nothing is left to write.
          for file in step < Self.steps ? try checkpoints(name) : [] {
            #expect(try bytes("\(name)/checkpoints/\(file)") == bytes("whole/checkpoints/\(file)"), "\(name)")
          }
        }
      }
    }

    @Test func autoGoesOnInTheFolderAndInItsMetrics() throws {
      let whole = try run(arguments + ["--run-dir", "whole"])
      var parts = arguments
      for steps in [2, 3, 7, 8] {
        parts[2] = "\(steps)"
        let part = try run(parts + ["--run-dir", "parts", "--resume", "auto"])
        #expect(part.errors.contains("the run begins afresh") == (steps == 2))
        if steps == 8 { #expect(part.output == whole.output) }
      }
      #expect(try metrics("parts") == metrics("whole"))
      #expect(try bytes("parts/weights.safetensors") == bytes("whole/weights.safetensors"))
      #expect(!FileManager.default.fileExists(atPath: folder.path("parts/lock")))
      // What is over stays over.
      #expect(try run(parts + ["--run-dir", "parts", "--resume", "auto"]).output == whole.output)
      #expect(try metrics("parts") == metrics("whole"))
    }

    private let own = ["seed=3", "optimizer.beta1=0.8"]

    @Test func theFolderSaysTheSettings() throws {
      let whole = try run(arguments + ["--run-dir", "whole"] + own)
      var part = arguments
      part[2] = "3"
      _ = try run(part + ["--run-dir", "run"] + own)
      let goingOn = ["train", "--quiet", "--max-steps", "\(Self.steps)"]
      let file = "run/checkpoints/\(file(3))"
      // From the file into another folder, so that the first stays as it is.
      #expect(try run(goingOn + ["--run-dir", "from-file", "--resume", file]).output == whole.output)
      #expect(try run(goingOn + ["--run-dir", "run/", "--resume", "auto"]).output == whole.output)
      // So does that of a run which has come to no checkpoint.
      try FileManager.default.removeItem(atPath: folder.path("run/checkpoints"))
      #expect(try run(goingOn + ["--run-dir", "run", "--resume", "auto"]).output == whole.output)
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func rankZeroAloneNeedsToSeeTheFolder() throws
    {
      let whole = try run(arguments + ["--run-dir", "whole"] + own)
      var part = arguments
      part[2] = "3"
      _ = try run(part + ["--run-dir", "run"] + own)
      var apart = Launch(folder: folder.url)
      apart.ranksApart = ["run", "absent"].map {
        ["train", "--quiet", "--max-steps", "\(Self.steps)", "--run-dir", $0, "--resume", "auto"]
      }
      let resumed = try apart.run([])
      resumed.expectOrderlyEnd(0)
      #expect(resumed.output == whole.output)
    }

    @Test func whatWinsOverTheFoldersSettingsIsSaid() throws {
      var part = arguments
      part[2] = "3"
      _ = try run(part + ["--run-dir", "run"] + own)
      let configuration = try String(decoding: bytes("run/configuration.yaml"), as: UTF8.self)
      let goingOn = ["train", "--progress", "none", "--max-steps", "4", "--run-dir", "run", "--resume", "auto"]
      let longer = try run(goingOn + ["training.epochs=30"])
      #expect(longer.output.contains("training.epochs is 30 and was 20\n"))
      #expect(longer.output.contains("run/configuration.yaml, training.epochs=30\n"))
      let same = try run(goingOn)
      #expect(!same.output.contains(" and was "))
      #expect(try String(decoding: bytes("run/configuration.yaml"), as: UTF8.self).contains("epochs: 30"))
      // Another file wins over the folder's, and the command line over both.
      try configuration.replacing("  epochs: 20\n", with: "  epochs: 40\n")
        .write(toFile: folder.path("other.yaml"), atomically: true, encoding: .utf8)
      let other = try run(goingOn + ["--config", "other.yaml"])
      #expect(other.output.contains("training.epochs is 40 and was 30\n"))
      #expect(
        try run(goingOn + ["--config", "other.yaml", "training.epochs=50"]).output.contains("is 50 and was 40\n"))
      // What enters the arithmetic is refused from wherever it comes.
      try "seed: 9\n".write(toFile: folder.path("seed.yaml"), atomically: true, encoding: .utf8)
      let refused = try run(goingOn + ["--config", "seed.yaml"] + ShortRun.settings, status: 78)
      #expect(refused.errors.contains("seed is 9 and was 3, optimizer.beta1 is 0.9 and was 0.8"))
      #expect(try run(goingOn + ["seed=9"], status: 78).errors.contains("seed is 9 and was 3; "))
    }

    @Test func whereTheNewestIsDamagedTheOneBeforeIsTaken() throws {
      let whole = try run(arguments + ["--run-dir", "run"] + all)
      let path = folder.path("run/checkpoints/\(file(8))")
      var data = try bytes("run/checkpoints/\(file(8))")
      data[data.count / 2] ^= 1
      for damaged in [data, data.prefix(1000), Data()] {
        try damaged.write(to: URL(fileURLWithPath: path))
        if !damaged.isEmpty {
          let inspection = try run(["inspect", path], status: 65)
          #expect(damaged.count == 1000 || inspection.output.contains("checksum does not hold"))
        }
        let resumed = try run(arguments + ["--run-dir", "run", "--resume", "auto"] + all)
        #expect(resumed.errors.contains("\(file(8)): ") && resumed.errors.contains("the one before it is taken"))
        #expect(resumed.output == whole.output)
        #expect(try run(["inspect", path]).output.contains("\nchecksum holds"))
      }
    }

    @Test func aChangedSettingIsNamedAndRefusedUnlessAskedFor() throws {
      _ = try run(arguments + ["--run-dir", "run"] + all)
      let from = ["--resume", "run/checkpoints/\(file(4))"]
      let changed = arguments + ["--run-dir", "changed", "seed=1", "optimizer.beta1=0.8"] + from
      let refused = try run(changed, status: 78)
      #expect(refused.errors.contains("seed is 1 and was 0, optimizer.beta1 is 0.8 and was 0.9"))
      #expect(refused.errors.contains("--allow-changes"))
      #expect(try run(changed + ["--allow-changes"]).errors.contains("seed is 1 and was 0"))
      // In the folder of the first run nobody could tell the two apart.
      _ = try run(arguments + ["--run-dir", "run", "seed=1", "--allow-changes"] + from, status: 73)
      // What leaves the bits alone may change.
      _ = try run(arguments + ["--run-dir", "run", "--resume", "auto", "training.epochs=30", "training.threads=2"])
    }

    @Test func earlierRunsAreNotOverwritten() throws {
      _ = try run(arguments + ["--run-dir", "run"])
      let before = try checkpoints("run")
      let refused = try run(arguments + ["--run-dir", "run"], status: 73)
      #expect(refused.errors.contains("--resume auto"))
      #expect(try checkpoints("run") == before)
      _ = try run(arguments + ["--resume", "auto"], status: 64)
      _ = try run(arguments + ["--run-dir", "x", "--resume", "run/weights.safetensors"], status: 65)
      _ = try run(arguments + ["--run-dir", "x", "--resume", "nowhere"], status: 66)
      var shorter = arguments
      shorter[2] = "3"
      _ = try run(shorter + ["--run-dir", "run", "--resume", "auto"], status: 78)
    }

    @Test func aCheckpointIsEvaluatedAsWeightsAre() throws {
      let whole = try run(arguments + ["--run-dir", "run"])
      let evaluation = try run([
        "evaluate", "--weights", "run/checkpoints/\(file(8))", "dataset.test_samples=60",
      ])
      #expect(evaluation.line("test accuracy") == whole.line("test accuracy"))
      #expect(evaluation.line("weights digest") == whole.line("weights digest"))
    }
  }
}
