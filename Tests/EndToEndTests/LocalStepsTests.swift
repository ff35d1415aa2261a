import Foundation
import Testing

extension EndToEnd {
  /// With steps of groups between averages, too, the bits depend on no number of ranks, and runs go on to them.
  @Suite struct LocalStepsTests {
    private let folder: TemporaryFolder
    /// Three steps an epoch, of 9, 9 and 4 microbatches: averages are after 2, 3, 4, 6, 8 and 9, and in the last batch of an
    /// epoch half of eight groups make no step.
    private static let settings =
      [
        "--quiet", "training.epochs=3", "checkpoint.every_steps=2", "checkpoint.keep=100",
        "optimizer.average_decay=0.9",
      ]
      + ["communication.local_steps=2", "communication.local_groups=8"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    private func train(
      _ name: String, ranks: Int? = nil, _ more: [String] = [], status: Int32 = 0
    ) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(["train", "--run-dir", name] + Self.settings + more)
      run.expectOrderlyEnd(status)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    private func checkpoint(_ step: Int) -> String { "checkpoints/step-0000000\(step).safetensors" }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func theBitsAreThoseOfOneProcess() throws {
      let alone = try train("alone")
      for ranks in 1...4 {
        for (name, run) in [
          ("mpi\(ranks)", try train("mpi\(ranks)", ranks: ranks)),
          ("replicas\(ranks)", try train("replicas\(ranks)", ["--replicas", "\(ranks)"])),
        ] {
          #expect(run.output == alone.output, "\(name)")
          for file in [2, 3, 4, 6, 8, 9].map(checkpoint) + ["weights.safetensors"] {
            #expect(try bytes("\(name)/\(file)") == bytes("alone/\(file)"), "\(name) \(file)")
          }
        }
      }
      for (step, ranks) in [(2, 4), (3, 1), (4, 3), (8, 2)] {
        let name = "from\(step)"
        let resumed = try train(name, ranks: ranks, ["--resume", "mpi3/\(checkpoint(step))"])
        #expect(resumed.output == alone.output, "\(name)")
        #expect(try bytes("\(name)/\(checkpoint(9))") == bytes("alone/\(checkpoint(9))"), "\(name)")
      }
    }

    @Test func whatWantsAStateBetweenAveragesIsRefused() throws {
      let steps = try train("steps", ["--max-steps", "5"], status: 78)
      #expect(steps.errors.contains("communication.local_steps is 2, and the run should end after step 5"))
      let checkpoints = try train("checkpoints", ["checkpoint.every_steps=3"], status: 78)
      #expect(checkpoints.errors.contains("communication.local_steps 2 does not go with checkpoint.every_steps 3"))
      _ = try train("run")
      let file = "run/\(checkpoint(2))"
      let launch = Launch(folder: folder.url)
      let next = try launch.run(["replay", "--checkpoint", file, "--microbatch", "1"])
      next.expectOrderlyEnd(0)
      let later = try launch.run(["replay", "--checkpoint", file, "--microbatch", "1", "--step", "4"])
      later.expectOrderlyEnd(64)
      #expect(later.errors.contains("each group of microbatches has weights of its own"))
    }

    @Test func itIsAChangeThatIsNamedAndSaidAtTheStart() throws {
      _ = try train("run")
      let refused = try train(
        "other", ["--resume", "run/\(checkpoint(2))", "communication.local_steps=1"], status: 78)
      #expect(refused.errors.contains("communication.local_steps is 1 and was 2"))
      let run = try Launch(folder: folder.url).run(
        ["train", "--run-dir", "said"] + Self.settings.filter { $0 != "--quiet" })
      #expect(run.output.contains("2 of each of 8 groups of microbatches between averages; another training"))
    }
  }
}
