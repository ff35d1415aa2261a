import Foundation
import Testing

extension EndToEnd {
  /// An error on one rank, wherever the others are, ends the job with its line and its code.
  @Suite(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) struct FailingTogetherTests {
    private let folder: TemporaryFolder
    private let arguments = ["--max-steps", "12", "--quiet", "--run-dir", "run"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    /// Three ranks, of which the second has these arguments besides.
    private func run(secondRankHas odd: String...) throws -> Execution {
      try Launch(ranksApart: [arguments, arguments + odd, arguments], folder: folder.url).run([])
    }

    @Test func whileTheCommandLineIsRead() throws {
      let run = try run(secondRankHas: "--nonsense")
      run.expectOrderlyEnd(64)
      #expect(run.ownErrors == ["dtrain: rank 1: unknown option --nonsense; see 'dtrain train --help'"])
    }

    @Test func whileTheConfigurationIsRead() throws {
      let run = try run(secondRankHas: "training.batch=none")
      run.expectOrderlyEnd(78)
      #expect(run.ownErrors.count == 1 && run.errors.contains("dtrain: rank 1: "))
    }

    @Test func whenTheConfigurationDiffers() throws {
      for odd in ["seed=1", "training.epochs=3"] {
        let run = try run(secondRankHas: odd)
        run.expectOrderlyEnd(78)
        #expect(run.ownErrors.first?.contains("rank 1 (") == true, "\(run.errors)")
        #expect(run.ownErrors.first?.contains("has another program or configuration than rank 0 (") == true)
      }
    }

    @Test func whenItIsToldToTakeFewerSteps() throws {
      var odd = arguments
      odd[1] = "11"
      let run = try Launch(ranksApart: [arguments, odd], folder: folder.url).run([])
      run.expectOrderlyEnd(78)
    }

    @Test(.enabled(if: MNIST.folder != nil, "MNIST is missing")) func whenItsDataAreMissingOrOthers() throws {
      let mnist = ["--max-steps", "3", "--quiet", "--run-dir", "run", "dataset.path=\(MNIST.folder ?? "")"]
      let missing = try Launch(
        ranksApart: [mnist, mnist.dropLast() + ["dataset.path=\(folder.url.path)"]], folder: folder.url
      ).run([])
      missing.expectOrderlyEnd(66)
      #expect(missing.ownErrors.count == 1 && missing.errors.contains("dtrain: rank 1: "))

      // The same images in another order of subsets: the count and the shape agree, what is seen does not.
      let swapped = folder.url.appending(path: "swapped")
      try FileManager.default.createDirectory(at: swapped, withIntermediateDirectories: true)
      for kind in ["images-idx3", "labels-idx1"] {
        for subset in ["train", "t10k"] {
          try FileManager.default.createSymbolicLink(
            atPath: "\(swapped.path)/\(subset)-\(kind)-ubyte.gz",
            withDestinationPath: "\(MNIST.folder ?? "")/t10k-\(kind)-ubyte.gz")
        }
      }
      let others = try Launch(
        ranksApart: [
          mnist + ["dataset.training_samples=500"],
          mnist.dropLast() + ["dataset.path=\(swapped.path)", "dataset.training_samples=500"],
        ], folder: folder.url
      ).run([])
      others.expectOrderlyEnd(78)
      #expect(others.errors.contains("has another data set than rank 0"))
    }

    @Test func whenRankZeroCannotWrite() throws {
      _ = FileManager.default.createFile(atPath: folder.path("run"), contents: nil)
      let run = try Launch(ranks: 3, folder: folder.url).run(arguments)
      run.expectOrderlyEnd(73)
      #expect(run.ownErrors.count == 1 && run.errors.contains("dtrain: rank 0: run: "))
    }

    @Test func whenTheMetricsCannotBeWritten() throws {
      try FileManager.default.createDirectory(atPath: folder.path("run"), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path("run/metrics.jsonl"), withDestinationPath: "/dev/full")
      let run = try Launch(ranks: 3, folder: folder.url).run(arguments)
      run.expectOrderlyEnd(74)
      #expect(run.ownErrors.first?.contains("rank 0: run/metrics.jsonl: No space left on device") == true)
    }

    @Test func whenTheWeightsCannotBeWritten() throws {
      try FileManager.default.createDirectory(
        atPath: folder.path("run/weights.safetensors/x"), withIntermediateDirectories: true)
      let run = try Launch(ranks: 3, folder: folder.url).run(arguments)
      run.expectOrderlyEnd(73)
      #expect(run.ownErrors.first?.contains("rank 0: run/weights.safetensors: ") == true)
    }

    @Test func whenTheLossIsNotFinite() throws {
      for ranks in [nil, 3] {
        // The network of the book: a smaller one has no weights left to blow up.
        let run = try Launch(ranks: ranks, folder: folder.url).run(
          ["--quiet", "--run-dir", "run", "dataset.name=synthetic-digits", "optimizer.learning_rate=100"])
        run.expectOrderlyEnd(1)
        #expect(run.ownErrors.first?.contains("the loss is") == true)
        #expect(run.ownErrors.first?.contains("at step") == true)
      }
    }

    @Test func whenARankIsKilledOrStopped() throws {
      for (signal, expected) in [(SIGKILL, "signal 9"), (SIGSTOP, "waited 3 s for rank")] {
        let endless = [
          "--run-dir", "run\(signal)", "training.epochs=100000", "communication.timeout_seconds=3", "--progress",
          "none",
        ]
        let errors = folder.url.appending(path: "errors")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        let job = try Launch(ranks: 3, folder: folder.url).start(
          ShortRun.settings + endless, output: FileHandle.nullDevice, errors: try FileHandle(forWritingTo: errors))
        let rank = try #require(try waitForRank(steps: folder.url.appending(path: "run\(signal)/metrics.jsonl")))
        kill(rank, signal)
        job.waitUntilExit()
        #expect(job.terminationReason == .exit && job.terminationStatus != 0 && job.terminationStatus != 124)
        #expect(try String(contentsOf: errors, encoding: .utf8).contains(expected))
        kill(rank, SIGKILL)
      }
    }

    /// A process of the job that is rank 2, once the first steps are written down.
    private func waitForRank(steps: URL) throws -> pid_t? {
      for _ in 0..<600 {
        usleep(100_000)
        guard let size = try? FileManager.default.attributesOfItem(atPath: steps.path)[.size] as? Int, size > 0 else {
          continue
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
          guard let process = pid_t(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")
          else { continue }
          let variables = String(decoding: data, as: UTF8.self).split(separator: "\0")
          if variables.contains("OMPI_COMM_WORLD_RANK=2"), place == folder.url.path { return process }
        }
      }
      return nil
    }
  }
}
