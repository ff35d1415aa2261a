import Foundation
import Testing

extension EndToEnd {
  /// What evaluate writes besides its lines, and predict.
  @Suite struct ShowingTests {
    private let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      let arguments = ["train", "--quiet", "--max-steps", "3", "--run-dir", "runs/first"] + ShortRun.settings
      try Launch(folder: folder.url).run(arguments).expectOrderlyEnd(0)
    }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: name)) }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func theFilesAreTheSameAtEveryNumberOfRanks() throws {
      for ranks in [nil, 2, 3] {
        let name = "\(ranks ?? 1)"
        try Launch(ranks: ranks, folder: folder.url).run([
          "evaluate", "--weights", "runs/first/weights.safetensors", "dataset.test_samples=60", "--json",
          name + ".json", "--wrong", name + ".png", "--predictions", name + ".csv",
        ]).expectOrderlyEnd(0)
        for ending in [".json", ".png", ".csv"] {
          #expect(try bytes(name + ending) == bytes("1" + ending), "\(name)\(ending)")
        }
      }
      let report = try #require(try JSONSerialization.jsonObject(with: bytes("1.json")) as? [String: Any])
      let confusion = try #require(report["confusion"] as? [[Int]])
      #expect(report["samples"] as? Int == 60)
      #expect(confusion.joined().reduce(0, +) == 60)
      #expect(confusion.indices.reduce(0) { $0 + confusion[$1][$1] } == 60 - (report["errors"] as? Int ?? 0))
      #expect(try String(decoding: bytes("1.csv"), as: UTF8.self).split(separator: "\n").count == 61)
    }

    /// The newest run's weights are taken; a picture that is none is named.
    @Test func picturesOfOnesOwnArePredicted() throws {
      let evaluation = try Launch(folder: folder.url).run([
        "evaluate", "--weights", "runs/first/weights.safetensors", "--wrong", "sheet.png",
      ])
      evaluation.expectOrderlyEnd(0)
      let prediction = try Launch(folder: folder.url).run([
        "predict", "sheet.png", "--json", "p.json", "--show", "seen.png",
      ])
      prediction.expectOrderlyEnd(0)
      #expect(prediction.output.split(separator: "\n").count == 13)
      #expect(
        prediction.line("weights ") == "weights runs/first/weights.safetensors, trained on synthetic-digits, step 3")
      #expect(prediction.line("class  probability") != nil && prediction.errors.isEmpty)
      let object = try #require(try JSONSerialization.jsonObject(with: bytes("p.json")) as? [String: Any])
      let image = try #require((object["images"] as? [[String: Any]])?.first)
      let answer = try #require(image["answer"] as? Int)
      #expect(prediction.line("sheet.png: \(answer) (") != nil)
      #expect(abs(((image["probabilities"] as? [Double]) ?? []).reduce(0, +) - 1) < 1e-9)
      #expect(try bytes("seen.png").starts(with: [0x89, 0x50, 0x4e, 0x47]))

      try bytes("sheet.png").prefix(300).write(to: folder.url.appending(path: "torn.png"))
      for (arguments, code, text) in [
        (["predict", "torn.png"], Int32(65), "torn.png: not a good PNG picture"),
        (["predict", "absent.png"], 66, "absent.png"),
        (["predict"], 64, "IMAGE.png"), (["predict", "p.json"], 65, "p.json: not a good PNG picture"),
      ] {
        let execution = try Launch(folder: folder.url).run(arguments)
        execution.expectOrderlyEnd(code)
        #expect(execution.ownErrors.count == 1 && execution.errors.contains(text), "\(execution.errors)")
      }
    }

    /// A file of settings shows the network that they make; weights of another one are refused.
    @Test func settingsMakeATable() throws {
      let table = try Launch(folder: folder.url).run(["inspect", "runs/first/configuration.yaml"])
      table.expectOrderlyEnd(0)
      #expect(table.line("convolution 1, 3x3, ReLU") != nil)
      #expect(table.line("network")?.split(separator: " ").last == "6x6")
      try Launch(folder: folder.url).run(["inspect", "absent.yaml"]).expectOrderlyEnd(66)
      let mismatch = try Launch(folder: folder.url).run([
        "inspect", "runs/first/weights.safetensors", "model.hidden_size=51",
      ])
      mismatch.expectOrderlyEnd(65)
    }
  }
}
