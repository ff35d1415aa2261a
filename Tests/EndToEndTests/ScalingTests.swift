import Foundation
import Testing

extension EndToEnd {
  /// Many ranks, and what measures how training grows with them. How long anything takes is not tested.
  @Suite struct ScalingTests {
    private let folder: TemporaryFolder
    private let quick = ["--rounds", "2", "--seconds", "0.02", "--output", "out/scaling"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    private func json(_ name: String) throws -> [String: Any] {
      let data = try Data(contentsOf: folder.url.appending(path: name))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func sixtyFourReplicasEndOnTheBitsOfOneProcess() throws {
      let settings =
        ShortRun.settings.filter { !$0.hasPrefix("training.batch") && !$0.hasPrefix("training.microbatch") }
        + ["training.batch=70", "training.microbatch=1"]
      func digest(_ arguments: String...) throws -> Substring? {
        let run = try Launch(folder: folder.url).run(["train", "--max-steps", "3", "--quiet"] + arguments + settings)
        run.expectOrderlyEnd(0)
        return run.line("weights digest")
      }
      let alone = try digest("--run-dir", "alone")
      #expect(alone != nil)
      #expect(try digest("--run-dir", "many", "--replicas", "64") == alone)
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func scaleMeasuresEachNumberOfRanksAndTrainsToAnAccuracy() throws {
      let run = try Launch(folder: folder.url).run(
        ["scale", "--ranks", "2,1", "--accuracy", "0.01", "training.epochs=2"] + quick)
      run.expectOrderlyEnd(0)
      #expect(run.line("folder ") == "folder out/scaling")
      #expect(run.output.contains("those of one run"))
      let report = try json("out/scaling/scale.json")
      let runs = try #require(report["runs"] as? [[String: Any]])
      #expect(runs.map { $0["ranks"] as? Int } == [1, 2])
      for run in runs {
        #expect(try #require(run["images_per_second_rounds"] as? [Double]).count == 2)
        #expect(try #require(run["computation_milliseconds"] as? Double) > 0)
        #expect(run["batch"] as? Int == 33)
        #expect(run["epochs_to_accuracy"] as? Int == 1)
      }
      #expect(runs[0]["efficiency"] as? Double == 1)
      #expect(runs.count { $0["measured_seconds_to_accuracy"] is Double } == 1)
      let table = try String(contentsOfFile: folder.path("out/scaling/scale.csv"), encoding: .utf8)
      #expect(table.hasPrefix("ranks,batch,") && table.split(separator: "\n").count == 3)
      for name in ["throughput.svg", "efficiency.svg", "step.svg", "accuracy.svg"] {
        #expect(try String(contentsOfFile: folder.path("out/scaling/\(name)"), encoding: .utf8).hasSuffix("</svg>\n"))
      }
      #expect(!FileManager.default.fileExists(atPath: folder.path("out/scaling/bench.json")))

      let weak = try Launch(folder: folder.url).run(["scale", "--weak", "--ranks", "2"] + quick)
      weak.expectOrderlyEnd(0)
      let runsOfWeak = try #require(try json("out/scaling/scale.json")["runs"] as? [[String: Any]])
      #expect(runsOfWeak.first?["batch"] as? Int == 66)
    }

    @Test func whatKeepsScaleFromMeasuringIsToldAtOnce() throws {
      func failure(_ code: Int32, _ expected: String, _ arguments: [String], path: String? = nil) throws {
        var launch = Launch(folder: folder.url)
        if let path { launch.environment["PATH"] = path }
        let run = try launch.run(["scale"] + arguments)
        run.expectOrderlyEnd(code)
        let own = try #require(run.ownErrors.last)
        #expect(own.contains(expected), "\(run.errors)")
      }
      try failure(69, "mpirun is not to be found", ["--ranks", "1"] + quick, path: folder.url.path)
      try failure(78, "64 ranks share 9 microbatches", ["--ranks", "1,64"] + quick)
      try failure(64, "--ranks", ["--ranks", "1,1"] + quick)
      try failure(73, "/dev/null", ["--output", "/dev/null/scaling"] + ShortRun.settings)
      guard Launch.isMPIPossible else { return }
      try failure(66, "mpirun -n 1 dtrain bench ended with code 66: ", ["--ranks", "1", "dataset.path=/nowhere"])
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func theAllReduceIsMeasuredBesideTheLibrarys() throws {
      let arguments = ["bench", "allreduce", "--largest", "300", "--rounds", "2", "--seconds", "0.001"]
      let run = try Launch(ranks: 3, folder: folder.url).run(arguments + ["--json", "allreduce.json"])
      run.expectOrderlyEnd(0)
      let sizes = try #require(try json("allreduce.json")["sizes"] as? [[String: Any]])
      #expect(sizes.map { $0["bytes"] as? Int } == [4, 16, 64, 256])
      for size in sizes {
        #expect(try #require(size["ordered_microseconds_rounds"] as? [Double]).count == 2)
        #expect(try #require(size["mpi_microseconds"] as? Double) > 0)
        #expect(try #require(size["ratio"] as? Double) > 0)
      }
      let replicas = try Launch(folder: folder.url).run(arguments + ["--replicas", "2"])
      replicas.expectOrderlyEnd(0)
      #expect(replicas.output.contains("2 in-process replicas"))
      try Launch(folder: folder.url).run(arguments).expectOrderlyEnd(64)
      try Launch(folder: folder.url).run(["bench", "--largest", "300"]).expectOrderlyEnd(64)
      try Launch(folder: folder.url).run(["bench", "everything"]).expectOrderlyEnd(64)
    }
  }
}
