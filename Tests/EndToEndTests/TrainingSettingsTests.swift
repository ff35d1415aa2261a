import Foundation
import Testing

extension EndToEnd {
  /// All that training offers turned on, as a person turns it on.
  @Suite struct TrainingSettingsTests {
    private let folder: TemporaryFolder
    private static let steps = 6
    private let arguments =
      ["train", "--max-steps", "\(steps)", "--quiet"] + ShortRun.settings + [
        "augmentation.rotation=15", "augmentation.shift=2", "augmentation.scale=0.1", "augmentation.elastic=1",
        "augmentation.noise=0.02", "augmentation.erasing=0.5", "evaluation.views=2",
        "augmentation.contrast=0.1", "training.label_smoothing=0.1",
        "optimizer.schedule=cosine", "optimizer.warmup_steps=2", "optimizer.clip_norm=1", "optimizer.average_decay=0.9",
        "dataset.validation_samples=14", "training.early_stopping_patience=50", "checkpoint.every_steps=1",
        "checkpoint.keep=100",
      ]

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String], ranks: Int? = nil, status: Int32 = 0) throws -> Execution {
      let run = try Launch(ranks: ranks, folder: folder.url).run(arguments)
      run.expectOrderlyEnd(status)
      return run
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: path)) }

    private func file(_ step: Int) -> String { "checkpoints/step-0000000\(step).safetensors" }

    @Test(arguments: [
      ["optimizer.name=adam"], ["optimizer.name=sgd", "optimizer.nesterov=true"], ["optimizer.name=lamb"],
    ])
    func resumesAtOtherNumbersOfRanksToTheSameBits(optimizer: [String]) throws {
      let arguments = arguments + optimizer
      let whole = try run(arguments + ["--run-dir", "whole"])
      for step in 1..<Self.steps {
        let ranks = Launch.isMPIPossible ? step % 3 + 1 : nil
        let name = "from\(step)"
        let resumed = try run(
          arguments + ["--run-dir", name, "--resume", "whole/\(file(step))"], ranks: ranks)
        #expect(resumed.output == whole.output, "\(name)")
        for file in [file(Self.steps), "weights.safetensors"] {
          #expect(try bytes("\(name)/\(file)") == bytes("whole/\(file)"), "\(name)")
        }
      }
      // The end's weights are the average, which a checkpoint is evaluated by too.
      let digest = try #require(whole.line("weights digest "))
      let evaluated = try run(["evaluate", "--weights", "whole/\(file(Self.steps))", "dataset.test_samples=60"])
      #expect(evaluated.line("weights digest ") == digest)
      #expect(evaluated.line("test accuracy ") == whole.line("test accuracy "))
      let inspected = try run(["inspect", "whole/\(file(Self.steps))"])
      #expect(
        inspected.line("average digest ") == "average \(digest.split(separator: " ")[1...2].joined(separator: " "))")
    }

    @Test func metricsTellTheLearningRateAndTheValidation() throws {
      _ = try run(arguments + ["--run-dir", "run"])
      let lines = try String(decoding: bytes("run/metrics.jsonl"), as: UTF8.self).split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
      let rates = lines.compactMap { $0["learning_rate"] as? Double }
      #expect(rates.count == Self.steps)
      #expect(rates[0] == 0.0005 && rates[1] == 0.001 && rates[2] == 0.001 && rates[5] < rates[4])
      // 66 samples are two batches: three epochs, and at last the test.
      #expect(
        lines.compactMap { $0["kind"] as? String }.filter { $0 != "step" && $0 != "ranks" } == [
          "validation", "validation", "validation", "test",
        ])
      #expect(lines.last?["test_samples"] as? Int == 60)
      #expect(lines.compactMap { $0["validation_samples"] as? Int } == [14, 14, 14])
      #expect(try String(decoding: bytes("run/checkpoints/best.json"), as: UTF8.self).contains("validation_errors"))
    }

    @Test func anotherLengthOfTheScheduleIsAChange() throws {
      _ = try run(arguments + ["--run-dir", "run"])
      let failed = try run(
        arguments + ["--run-dir", "other", "--resume", "run/\(file(3))", "training.epochs=21"], status: 78)
      #expect(failed.ownErrors[0].contains("optimizer.schedule_epochs is 21 and was 20"))
    }

    @Test(
      arguments: [
        ("augmentation.rotation=181", "augmentation.rotation is 181, outside its range"),
        ("evaluation.views=2", "evaluation.views 2 has no copies to look at with"),
        ("augmentation.rotaton=1", "did you mean augmentation.rotation?"),
        ("training.early_stopping_patience=2", "has nothing to watch"),
        ("dataset.validation_samples=80", "dataset.validation_samples is 80, and there are 80 training samples"),
        ("optimizer.schedule=cosin", "did you mean cosine?"),
      ])
    func whatCannotBeIsRefused(setting: String, message: String) throws {
      let failed = try run(["train", "--run-dir", "x"] + ShortRun.settings + [setting], status: 78)
      #expect(failed.ownErrors[0].contains(message))
    }

    @Test func theDataAreDescribedAndShown() throws {
      let described = try run(["data", "dataset.validation_samples=14"] + ShortRun.settings)
      #expect(described.output.contains("synthetic-digits, drawn by code"))
      let row = try #require(described.line("all")).split(separator: " ").map(String.init)
      #expect(row == ["all", "66", "14", "60"])
      #expect(described.output.split(separator: "\n").filter { $0.hasPrefix("digest   ") }.count == 3)
      for (name, rotation) in [("plain", 0), ("turned", 20), ("again", 20)] {
        _ = try run(
          ["data", "--preview", "\(name).png", "--count", "3", "augmentation.rotation=\(rotation)"]
            + ShortRun.settings)
        #expect(try bytes("\(name).png").prefix(8) == Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
      }
      #expect(try bytes("turned.png") == bytes("again.png"))
      #expect(try bytes("turned.png") != bytes("plain.png"))
      let many = try run(["data", "--preview", "x.png", "--count", "81"] + ShortRun.settings, status: 64)
      #expect(many.ownErrors[0].contains("there are 80 training samples"))
      _ = try run(["data", "--count", "3"] + ShortRun.settings, status: 64)
    }
  }
}
