import Foundation
import Testing

extension EndToEnd {
  /// What the simulation computes is tested with its module; here are its options, files and errors.
  @Suite struct SimulationTests {
    private let folder: TemporaryFolder
    private let figures = ["--images-per-second", "3000", "--latency-us", "20", "--bandwidth-gbit", "10"]

    init() throws { folder = try TemporaryFolder() }

    private func simulate(_ arguments: [String]) throws -> Execution {
      try Launch(folder: folder.url).run(["simulate"] + arguments)
    }

    @Test func aThousandRanksComeFromOptionsAlone() throws {
      let arguments =
        figures + [
          "--weak", "--batch", "50", "--spread", "0.03", "--straggler-probability", "0.001", "--mtbf-hours", "8760",
          "--checkpoint-seconds", "2", "--restart-seconds", "30", "--epochs", "20", "--samples", "60000",
        ]
      let run = try simulate(arguments)
      run.expectOrderlyEnd(0)
      #expect(run.line("folder ") == "folder simulation")
      let table = try String(contentsOfFile: folder.path("simulation/simulation.csv"), encoding: .utf8)
      #expect(table.hasPrefix("ranks,nodes,") && table.split(separator: "\n").count == 12)
      #expect(table.contains("\n1024,1024,51200,halving,100,"))
      for name in ["throughput", "efficiency", "step", "time", "loss", "interval"] {
        let picture = try String(contentsOfFile: folder.path("simulation/\(name).svg"), encoding: .utf8)
        #expect(picture.hasSuffix("</svg>\n"))
      }
      let data = try Data(contentsOf: folder.url.appending(path: "simulation/simulation.json"))
      let report = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(report["parameters"] as? Int == 123_552)
      #expect(try #require(report["runs"] as? [[String: Any]]).count == 11)
      // The same seed, the same bytes.
      try simulate(arguments + ["--output", "again"]).expectOrderlyEnd(0)
      #expect(try String(contentsOfFile: folder.path("again/simulation.csv"), encoding: .utf8) == table)
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func whatScaleAndBenchMeasuredIsFitted() throws {
      let measured = try Launch(folder: folder.url).run(
        ["scale", "--ranks", "1,2,3", "--rounds", "2", "--seconds", "0.02"] + ShortRun.settings)
      measured.expectOrderlyEnd(0)
      try Launch(ranks: 2, folder: folder.url).run(
        ["bench", "allreduce", "--largest", "65536", "--rounds", "2", "--seconds", "0.001", "--json", "two.json"]
      ).expectOrderlyEnd(0)
      let run = try simulate(
        [
          "--scale", "scaling/scale.json", "--allreduce", "two.json", "--fit-ranks", "1,2", "--ranks", "1,2,3",
          "--ranks-per-node", "4",
        ] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      #expect(run.output.contains("held out"))
      #expect(run.output.contains("two.json: ordered_microseconds_median"))
      #expect(run.output.contains("scaling/scale.json, 1, 2 ranks: computation_milliseconds"))
    }

    @Test func wrongOptionsAreToldAtOnce() throws {
      func failure(_ code: Int32, _ expected: String, _ arguments: [String]) throws {
        let run = try simulate(arguments)
        run.expectOrderlyEnd(code)
        #expect(run.errors.contains(expected), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("simulation/simulation.csv")))
      }
      try failure(64, "--images-per-second", [])
      try failure(64, "--ranks", figures + ["--ranks", "1,1"])
      try failure(64, "--ranks", figures + ["--ranks", "0"])
      try failure(64, "a number above 0", figures + ["--mtbf-hours", "0"])
      try failure(64, "a number of at least 0", figures + ["--gap-us", "-1"])
      try failure(64, "at most 1", figures + ["--straggler-probability", "2"])
      try failure(64, "--checkpoint-seconds", figures + ["--mtbf-hours", "10"])
      try failure(64, "--mtbf-hours", figures + ["--restart-seconds", "10"])
      try failure(64, "--samples", figures + ["--epochs", "2"])
      try failure(64, "--scale", figures + ["--fit-ranks", "2"])
      try failure(64, "--node-bandwidth-gbit", figures + ["--ranks", "2", "--ranks-per-node", "2"])
      try failure(64, "--network", figures + ["--network", "vgg16", "--parameters", "7"])
      try failure(64, "vgg16", figures + ["--network", "alexnet"])
      try failure(66, "nowhere.json", ["--scale", "nowhere.json"])
      try failure(78, "64 ranks", figures + ["--ranks", "64", "--batch", "100"])
      try "{}".write(toFile: folder.path("empty.json"), atomically: true, encoding: .utf8)
      try failure(65, "empty.json", ["--scale", "empty.json"])
      try failure(65, "empty.json", figures + ["--allreduce", "empty.json"])
      try failure(73, "/dev/null", figures + ["--output", "/dev/null/simulation"])
    }
  }
}
