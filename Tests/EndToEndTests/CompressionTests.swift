import Foundation
import Testing

extension EndToEnd {
  /// With compressed gradients, too, the bits depend on no number of ranks, and runs go on to them.
  @Suite struct CompressionTests {
    private let folder: TemporaryFolder
    /// 80 samples in batches of 33 in microbatches of 4 are 9, 9 and 4 microbatches an epoch: with 8 groups some have none
    /// in the last.
    private static let settings =
      ["--max-steps", "8", "--quiet", "checkpoint.every_steps=1", "checkpoint.keep=100"] + ShortRun.settings
    private static let forms = ["float16", "bfloat16", "int8", "top-k"]

    init() throws { folder = try TemporaryFolder() }

    private func train(
      _ name: String, _ form: String, ranks: Int? = nil, _ more: [String] = [], status: Int32 = 0
    ) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(
        ["train", "--run-dir", name] + Self.settings
          + ["communication.compression=\(form)", "communication.compression_groups=8"] + more)
      run.expectOrderlyEnd(status)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    private func checkpoint(_ step: Int) -> String { "checkpoints/step-0000000\(step).safetensors" }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"), arguments: forms)
    func theBitsAreThoseOfOneProcess(form: String) throws {
      let alone = try train("alone", form)
      for ranks in 2...4 {
        for (name, run) in [
          ("mpi\(ranks)", try train("mpi\(ranks)", form, ranks: ranks)),
          ("replicas\(ranks)", try train("replicas\(ranks)", form, ["--replicas", "\(ranks)"])),
        ] {
          #expect(run.output == alone.output, "\(name)")
          // The residuals are in the checkpoints, alike at every number of ranks.
          for file in [3, 8].map(checkpoint) + ["weights.safetensors"] {
            #expect(try bytes("\(name)/\(file)") == bytes("alone/\(file)"), "\(name) \(file)")
          }
        }
      }
      for (step, ranks) in [(2, 4), (3, 1), (5, 3), (7, 2)] {
        let name = "from\(step)"
        let resumed = try train(name, form, ranks: ranks, ["--resume", "mpi3/\(checkpoint(step))"])
        #expect(resumed.output == alone.output, "\(name)")
        #expect(try bytes("\(name)/\(checkpoint(8))") == bytes("alone/\(checkpoint(8))"), "\(name)")
      }
    }

    @Test func aResidualThatIsTornIsAnError() throws {
      _ = try train("run", "top-k")
      let file = checkpoint(4)
      let whole = try bytes("run/\(file)")
      let header = String(decoding: whole.prefix(20_000), as: UTF8.self)
      #expect(header.contains("W1.group_7_residual"))
      // The last byte is of a residual or of a moment; either is a tear.
      for torn in [whole.dropLast(), whole.prefix(whole.count / 2), whole.dropLast() + [whole[whole.count - 1] ^ 1]] {
        try Data(torn).write(to: folder.url.appending(path: "torn.safetensors"))
        let refused = try train("torn", "top-k", ["--resume", "torn.safetensors"], status: 65)
        #expect(refused.ownErrors.contains { $0.contains("torn.safetensors: ") })
      }
    }

    @Test func anotherCompressionIsAChangeThatIsNamed() throws {
      _ = try train("run", "top-k")
      let from = ["--resume", "run/\(checkpoint(4))"]
      let refused = try train("other", "int8", from, status: 78)
      #expect(refused.errors.contains("communication.compression is int8 and was top-k"))
      _ = try train("other", "int8", from + ["--allow-changes"])
      _ = try train("fewer", "top-k", from + ["--allow-changes", "communication.compression_groups=2"])
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func moreRanksThanGroupsIsAnError() throws {
      let refused = try train("run", "int8", ranks: 3, ["communication.compression_groups=2"], status: 78)
      #expect(refused.errors.contains("communication.compression_groups is 2, and 3 ranks cannot share 2 groups"))
    }
  }
}
