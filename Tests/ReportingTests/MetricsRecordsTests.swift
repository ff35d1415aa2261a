import Foundation
import Testing

@testable import Reporting

@Suite struct MetricsRecordsTests {
  private func step(_ step: Int) -> StepMetrics {
    StepMetrics(step: step, epoch: 1, loss: 1, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 9, seconds: 0)
  }

  @Test func whatIsBehindTheStepIsCutOffAndComesAgain() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "dtrain-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let test = TestMetrics(step: 3, epoch: 1, dataset: "x", loss: 1, errors: 1, samples: 2, seconds: 0)
    func write(_ log: MetricsLog, from first: Int) throws {
      for number in first...5 {
        try log.append(step(number))
        if number == 3 { try log.append(test) }
      }
      try log.flush()
    }
    func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    try write(MetricsLog(path: path), from: 1)
    let whole = try text()
    #expect(whole.split(separator: "\n").count == 6)
    for made in 1...5 {
      let log = try MetricsLog(path: path, goingOnAfter: made)
      // The test after the third step comes again when a run goes on behind that step.
      #expect(
        try text() == whole.split(separator: "\n").prefix(made + (made > 3 ? 1 : 0)).joined(separator: "\n") + "\n")
      if made == 3 { try log.append(test) }
      if made < 5 { try write(log, from: made + 1) }
      #expect(try text() == whole)
    }
    // The last line of a job that was killed may have no end.
    try (whole.dropLast(9)).write(toFile: path, atomically: true, encoding: .utf8)
    _ = try MetricsLog(path: path, goingOnAfter: 9)
    #expect(try text() == whole.split(separator: "\n").prefix(5).joined(separator: "\n") + "\n")
    _ = try MetricsLog(path: path)
    #expect(try text() == "")
  }
}
