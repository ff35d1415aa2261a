import Foundation
import Testing

extension EndToEnd {
  /// What TensorBoard's own reader finds in a run's folder.
  @Suite(.enabled(if: TensorBoardReader.isWanted, "launch/python-tools.sh has not been run"))
  struct EventFileTests {
    private let folder: TemporaryFolder
    private let arguments = ["train", "--max-steps", "8", "--quiet"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String], ranks: Int? = nil) throws {
      try Launch(ranks: ranks, folder: folder.url).run(arguments).expectOrderlyEnd(0)
    }

    private func events(_ name: String) throws -> [String: [String: [[Any]]]] {
      try TensorBoardReader.read(folder.path(name))
    }

    private func text(_ events: [String: [String: [[Any]]]]) -> [String: String] {
      var lines: [String: String] = [:]
      for (kind, tags) in events where kind != "texts" {
        for (tag, values) in tags where tag != "images_per_second" { lines["\(kind) \(tag)"] = "\(values)" }
      }
      return lines
    }

    @Test func curvesHistogramsTextAndPicture() throws {
      try run(arguments + ["--run-dir", "run", "reporting.every_steps=2"])
      let events = try events("run")
      let scalars = try #require(events["scalars"])
      let metrics = try String(contentsOfFile: folder.path("run/metrics.jsonl"), encoding: .utf8)
        .split(separator: "\n").map { line in
          try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
      let losses = metrics.compactMap { $0["loss"] as? Double }
      // The batches of an epoch of 80 samples.
      let sizes = [33.0, 33, 14, 33, 33, 14, 33, 33]
      let sums = zip(losses, sizes).map { $0 * $1 }
      let expected: [Double] = [0, 2, 4, 6].map { first in
        let samples: Double = sizes[first] + sizes[first + 1]
        return (sums[first] + sums[first + 1]) / samples
      }
      func numbers(_ tag: String) -> [Double] { (scalars[tag] ?? []).compactMap { $0[1] as? Double } }
      func steps(_ values: [[Any]]?) -> [Int] { (values ?? []).compactMap { $0[0] as? Int } }
      #expect(steps(scalars["loss/training"]) == [2, 4, 6, 8])
      for (value, expected) in zip(numbers("loss/training"), expected) {
        let difference: Double = (value - expected).magnitude
        #expect(difference < 1e-5)
      }
      #expect(steps(scalars["accuracy/test"]) == [3, 6, 8])
      #expect(numbers("loss/test").count == 3 && numbers("loss/test").allSatisfy { $0 > 0 })
      #expect(numbers("learning_rate").map { Float($0) } == Array(repeating: 0.001, count: 4))
      #expect(numbers("images_per_second").count == 4 && numbers("images_per_second").allSatisfy { $0 > 0 })

      let histograms = try #require(events["histograms"])
      for (name, count) in [("W1", 72.0), ("b1", 8.0)] {
        for kind in ["weights", "gradients"] {
          let values = histograms["\(kind)/\(name)"]
          #expect(steps(values) == [3, 6, 8])
          for value in values ?? [] {
            #expect(value[1] as? Double == count)
            #expect(value[2] as? Double == count)
            #expect(value[5] as? Bool == true)
          }
        }
      }
      let text = try #require(events["texts"]?["configuration"]?.first?[1] as? String)
      #expect(text.contains("| training.batch | 33 |"))
      let picture = try #require(events["images"]?["images/wrong_answers"]?.first)
      #expect(picture[1] as? Int == picture[3] as? Int)
      #expect(picture[2] as? Int == picture[4] as? Int)
    }

    @Test func aSheetShowsWhatAugmentationMakes() throws {
      try run(arguments + ["--run-dir", "plain"])
      #expect(try events("plain")["images"]?["images/augmentation"] == nil)
      try run(arguments + ["--run-dir", "run", "augmentation.rotation=15"])
      let pictures = try #require(try events("run")["images"]?["images/augmentation"])
      #expect(pictures.count == 1 && pictures.first?[0] as? Int == 0)
      // Eight samples, each as it is and in nine copies.
      try run(Array(["data", "--preview", "sheet.png", "augmentation.rotation=15"] + ShortRun.settings))
      let sheet = [UInt8](try Data(contentsOf: folder.url.appending(path: "sheet.png")))
      func size(at place: Int) -> Int { sheet[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
      #expect(pictures.first?[1] as? Int == size(at: 16) && pictures.first?[2] as? Int == size(at: 20))
    }

    @Test func aRunThatGoesOnHasEveryValueOnce() throws {
      let more = ["reporting.every_steps=1", "augmentation.shift=1"]
      try run(arguments + ["--run-dir", "whole"] + more)
      var parts = arguments
      for steps in [2, 3, 7, 8] {
        parts[2] = "\(steps)"
        try run(parts + ["--run-dir", "parts", "--resume", "auto"] + more)
      }
      #expect(try text(events("whole")) == text(events("parts")))
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func ranksWriteNoMoreThanOneProcess() throws {
      try run(arguments + ["--run-dir", "alone"])
      try run(arguments + ["--run-dir", "ranks"], ranks: 2)
      #expect(try text(events("alone")) == text(events("ranks")))
      try run(arguments + ["--run-dir", "none", "reporting.tensorboard=false"])
      #expect(
        try !FileManager.default.contentsOfDirectory(atPath: folder.path("none")).contains { $0.contains("tfevents") })
    }
  }
}

/// TensorBoard's reader, in the environment that `launch/python-tools.sh` makes.
enum TensorBoardReader {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let interpreter = package.appending(path: ".build/interchange/bin/python")

  static let isWanted = FileManager.default.isExecutableFile(atPath: interpreter.path)

  /// By kind and tag the values of each step, of which the first is the step.
  static func read(_ folder: String) throws -> [String: [String: [[Any]]]] {
    let process = Process()
    let output = Pipe()
    process.executableURL = interpreter
    process.arguments = ["-B", package.appending(path: "Tests/Interchange/events.py").path, folder]
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: [[Any]]]])
  }
}
