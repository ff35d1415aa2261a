import Foundation
import Testing

extension EndToEnd {
  /// With a sharded optimizer the files of a run are those without it, and runs go on from one to the other.
  @Suite struct ShardedTests {
    private let folder: TemporaryFolder
    private static let settings =
      ["--max-steps", "8", "--quiet", "checkpoint.every_steps=1", "checkpoint.keep=100", "optimizer.clip_norm=0.5"]
      + ["optimizer.average_decay=0.9"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    private func train(
      _ name: String, sharded: Bool, ranks: Int? = nil, _ more: [String] = [], status: Int32 = 0
    ) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(
        ["train", "--run-dir", name] + Self.settings + ["optimizer.sharded=\(sharded)"] + more)
      run.expectOrderlyEnd(status)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    private func checkpoint(_ step: Int) -> String { "checkpoints/step-0000000\(step).safetensors" }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func theBitsAndTheFilesAreThoseOfOneProcessWithoutIt() throws {
      let alone = try train("alone", sharded: false)
      for ranks in 1...4 {
        for (name, run) in [
          ("mpi\(ranks)", try train("mpi\(ranks)", sharded: true, ranks: ranks)),
          ("replicas\(ranks)", try train("replicas\(ranks)", sharded: true, ["--replicas", "\(ranks)"])),
        ] {
          #expect(run.output == alone.output, "\(name)")
          for file in [3, 8].map(checkpoint) + ["weights.safetensors"] {
            #expect(try bytes("\(name)/\(file)") == bytes("alone/\(file)"), "\(name) \(file)")
          }
        }
      }
      for (step, sharded, ranks, from) in [
        (2, true, 4, "alone"), (3, true, 2, "mpi3"), (5, false, 3, "mpi4"), (7, true, 1, "mpi2"), (8, true, 3, "mpi2"),
      ] {
        let name = "from\(step)"
        let resumed = try train(name, sharded: sharded, ranks: ranks, ["--resume", "\(from)/\(checkpoint(step))"])
        #expect(resumed.output == alone.output, "\(name)")
        #expect(try bytes("\(name)/weights.safetensors") == bytes("alone/weights.safetensors"), "\(name)")
        if step == 8 { continue }
        #expect(try bytes("\(name)/\(checkpoint(8))") == bytes("alone/\(checkpoint(8))"), "\(name)")
      }
    }

    @Test func whatNeedsTheWholeGradientIsRefused() throws {
      let lamb = try train("lamb", sharded: true, ["optimizer.name=lamb"], status: 78)
      #expect(lamb.errors.contains("optimizer.sharded true does not go with optimizer.name lamb; lamb needs norms"))
      let compressed = try train("int8", sharded: true, ["communication.compression=int8"], status: 78)
      #expect(compressed.errors.contains("optimizer.sharded true does not go with communication.compression int8"))
    }
  }
}
