import Foundation
import Testing

extension EndToEnd {
  /// What measures and traces, as a person starts it. How long anything takes is not tested.
  @Suite struct MeasuringTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func json(_ name: String) throws -> [String: Any] {
      let data = try Data(contentsOf: folder.url.appending(path: name))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(arguments: [nil, 2] as [Int?]) func benchWritesItsFigures(ranks: Int?) throws {
      guard ranks == nil || Launch.isMPIPossible else { return }
      let run = try Launch(ranks: ranks, folder: folder.url).run(
        ["bench", "--json", "bench.json", "--rounds", "2", "--seconds", "0.02"] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      #expect(run.line("training ") != nil && run.line("convolution 1 ") != nil)
      let json = try json("bench.json")
      #expect(json["ranks"] as? Int == ranks ?? 1)
      for key in ["training_images_per_second", "inference_images_per_second", "peak_gflops"] {
        #expect(try #require(json[key] as? Double) > 0)
        #expect(try #require(json["\(key)_rounds"] as? [Double]).count == 2)
      }
      let share = try #require(json["communication_share"] as? Double)
      #expect(ranks == nil ? share < 0.1 : share > 0 && share < 1)
      #expect(try #require(json["first_step_seconds"] as? Double) > 0)
    }

    @Test func benchRunsOnReplicas() throws {
      let run = try Launch(folder: folder.url).run(
        ["bench", "--rounds", "1", "--seconds", "0.02", "--replicas", "3"] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      #expect(run.output.contains("3 in-process replicas"))
    }

    @Test func profileDrawsAPicture() throws {
      let run = try Launch(folder: folder.url).run(
        ["profile", "--output", "layers.svg", "--seconds", "0.02"] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      #expect(run.line("picture ") == "picture layers.svg")
      let picture = try String(contentsOfFile: folder.path("layers.svg"), encoding: .utf8)
      #expect(picture.contains("<svg") && picture.contains("convolution 2") && picture.hasSuffix("</svg>\n"))
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func aTracedRunHasTheSameWeightsAndAllItsRanks() throws {
      let arguments = ["train", "--max-steps", "4", "--quiet"] + ShortRun.settings
      let alone = try Launch(folder: folder.url).run(arguments + ["--run-dir", "alone"])
      let traced = try Launch(ranks: 2, folder: folder.url).run(
        arguments + ["--run-dir", "traced", "--trace", "traced/two/trace.json"])
      traced.expectOrderlyEnd(0)
      #expect(traced.line("weights digest") == alone.line("weights digest"))
      #expect(traced.line("timeline") == nil)
      let events = try #require(try json("traced/two/trace.json")["traceEvents"] as? [[String: Any]])
      for rank in 0..<2 {
        let names = Set(events.filter { $0["pid"] as? Int == rank }.compactMap { $0["name"] as? String })
        for name in ["process_name", "step", "evaluation", "microbatch", "transfer", "convolution 2 backward"] {
          #expect(names.contains(name), "rank \(rank): \(name)")
        }
      }
    }

    /// Told at once and not after the run.
    @Test(arguments: [
      (["train", "--max-steps", "1000000", "--trace", "/dev/null/trace.json"], 73, "/dev/null: "),
      (["train", "--max-steps", "1000000", "--trace", "."], 73, "."),
      (["bench", "--seconds", "3600", "--json", "/dev/null/bench.json"], 73, "/dev/null: "),
      (["profile", "--seconds", "3600", "--output", "/dev/null/p.svg"], 73, "/dev/null: "),
      (["profile", "--output", "p.png"], 64, "ends in .svg"), (["bench", "--seconds", "0"], 64, "above 0"),
      (["bench", "--rounds", "0"], 64, "from 1 to 1000"),
    ])
    func whatCannotBeWrittenIsToldFirst(_ arguments: [String], _ code: Int32, _ expected: String) throws {
      let run = try Launch(folder: folder.url).run(arguments + ShortRun.settings + ["training.epochs=1000000"])
      run.expectOrderlyEnd(code)
      #expect(run.errors.hasPrefix("dtrain: ") && run.errors.contains(expected), "\(run.errors)")
      #expect(run.errors.count { $0 == "\n" } == 1)
    }
  }
}
