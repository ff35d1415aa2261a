import Foundation
import Testing

extension EndToEnd {
  /// The promise: the same bits at any number of ranks, of every kind.
  @Suite struct SameBitsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func train(_ name: String, ranks: Int? = nil, _ arguments: [String]) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(["train", "--run-dir", name] + arguments)
      run.expectOrderlyEnd(0)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    /// The fields of all lines of metrics that do not depend on time.
    private func metrics(_ name: String) throws -> [[String: String]] {
      try String(decoding: bytes("\(name)/metrics.jsonl"), as: UTF8.self).split(separator: "\n").compactMap { line in
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        // How long each rank took is no matter of the bits.
        guard fields["kind"] as? String != "ranks" else { return nil }
        return fields.mapValues { "\($0)" }.filter { !["seconds", "images_per_second"].contains($0.key) }
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func thirtyStepsEndAlikeAtEveryNumberOfRanksOfEveryKind() throws {
      let arguments = ["--max-steps", "30", "--quiet"] + ShortRun.settings
      let alone = try train("alone", arguments)
      #expect(alone.output.split(separator: "\n").count == 2)
      let weights = try bytes("alone/weights.safetensors")
      let lines = try metrics("alone")
      // 80 samples in batches of 33 are 3 steps an epoch, and a test after each.
      #expect(lines.count == 40)
      for ranks in 1...5 {
        for (name, run) in [
          ("mpi\(ranks)", try train("mpi\(ranks)", ranks: ranks, arguments)),
          ("replicas\(ranks)", try train("replicas\(ranks)", arguments + ["--replicas", "\(ranks)"])),
        ] {
          #expect(run.output == alone.output, "\(name)")
          #expect(try bytes("\(name)/weights.safetensors") == weights, "\(name)")
          let areEqual = try metrics(name) == lines
          #expect(areEqual, "\(name)")
        }
      }
    }

    @Test(.enabled(if: MNIST.folder != nil && Launch.isMPIPossible, "MNIST or mpirun is missing"))
    func theNetworkOfTheBookEndsAlikeOnMNIST() throws {
      let arguments = [
        "--max-steps", "30", "--quiet", "dataset.path=\(MNIST.folder ?? "")", "dataset.test_samples=500",
      ]
      let alone = try train("alone", arguments)
      #expect(alone.line("weights digest sha256:") != nil)
      for ranks in 2...4 { #expect(try train("mpi\(ranks)", ranks: ranks, arguments).output == alone.output) }
    }

    @Test func theResolvedSettingsRepeatTheRun() throws {
      let first = try train("first", ["--max-steps", "5", "--quiet", "seed=7"] + ShortRun.settings)
      let again = try train("again", ["--max-steps", "5", "--quiet", "--config", "first/configuration.yaml"])
      #expect(again.output == first.output)
      #expect(try bytes("again/weights.safetensors") == bytes("first/weights.safetensors"))
      #expect(try bytes("again/configuration.yaml") == bytes("first/configuration.yaml"))
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func evaluationAgreesWithTheRunAtEveryNumberOfRanks() throws {
      let run = try train("run", ["--max-steps", "6"] + ShortRun.settings)
      let digest = try #require(run.line("weights digest sha256:"))
      let arguments = ["evaluate", "--weights", "run/weights.safetensors", "dataset.test_samples=60"]
      let alone = try Launch(folder: folder.url).run(arguments)
      alone.expectOrderlyEnd(0)
      #expect(alone.line("weights digest sha256:") == digest)
      #expect(alone.line("test accuracy") == run.line("test accuracy"))
      #expect(alone.line("test loss") != nil)
      for ranks in [2, 3] {
        #expect(try Launch(ranks: ranks, folder: folder.url).run(arguments).output == alone.output)
        #expect(try Launch(folder: folder.url).run(arguments + ["--replicas", "\(ranks)"]).output == alone.output)
      }
      let inspection = try Launch(folder: folder.url).run(["inspect", "run/weights.safetensors"])
      inspection.expectOrderlyEnd(0)
      #expect(inspection.output.contains("\nstep 6\nepoch 2\n"))
      #expect(inspection.output.contains("sha256:"))
      #expect(inspection.line("W1      [8, 1, 3, 3]") != nil)
    }

    @Test func drawnDigitsAreNamedInEveryResult() throws {
      let run = try train("run", ["--max-steps", "3"] + ShortRun.settings)
      let results = run.output.split(separator: "\n").filter { $0.contains("test accuracy") || $0.contains("digest") }
      #expect(results.count == 3)
      for line in results { #expect(line.contains("synthetic-digits"), "\(line)") }
      #expect(run.output.split(separator: "\n")[2].contains("synthetic-digits"))
    }
  }
}
