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

  /// The same for the table: what its rows are, and that it goes on where the lines do.
  @Test func theTableHasTheSameRecords() throws {
    let folder = FileManager.default.temporaryDirectory
    let (lines, table) = (
      folder.appending(path: UUID().uuidString).path, folder.appending(path: UUID().uuidString).path
    )
    defer { for path in [lines, table] { try? FileManager.default.removeItem(atPath: path) } }
    let test = TestMetrics(step: 3, epoch: 1, dataset: "x", loss: 1, errors: 1, samples: 2, seconds: 0)
    let ranks = RankMetrics(
      step: 3, epoch: 1, steps: 3, stepsPerEpoch: 3, ranks: "2 ranks", threads: 1, hosts: ["a", "b,c"],
      stepSeconds: [3, 4], computationSeconds: [2, 2.5], exchangeSeconds: [0.5, 1], seconds: 5)
    func write(after made: Int) throws {
      let log = try MetricsLog(path: lines, table: table, goingOnAfter: made)
      for number in 1...5 where number > made {
        try log.append(step(number))
        guard number == 3 else { continue }
        try log.append(ranks)
        try log.append(test)
      }
      try log.flush()
    }
    func text() throws -> String { try String(contentsOfFile: table, encoding: .utf8) }
    try write(after: 0)
    let whole = try text()
    let rows = whole.split(separator: "\n")
    #expect(
      rows.map { $0.prefix { $0 != "," } } == ["kind", "step", "step", "step", "rank", "rank", "test", "step", "step"])
    #expect(rows[1] == "step,1,1,0.0,1.0,0.5,0.1,9.0,,,,,,,,,,,,,,,")
    #expect(rows[5] == "rank,3,1,5.0,,,,,,,,,,1,\"b,c\",3,4.0,2.5,1.0,,,,")
    #expect(rows[6] == "test,3,1,0.0,,,,,x,1.0,0.5,1,2,,,,,,,,,,")
    for made in [1, 2, 4, 5] {
      try write(after: made)
      #expect(try text() == whole, "after \(made)")
    }
    // A row that a killed job has torn goes, and so does a file of another program.
    try String(whole.dropLast(7)).write(toFile: table, atomically: true, encoding: .utf8)
    _ = try MetricsLog(path: lines, table: table, goingOnAfter: 9)
    #expect(try text() == rows.dropLast().joined(separator: "\n") + "\n")
    try "something,else\n".write(toFile: table, atomically: true, encoding: .utf8)
    _ = try MetricsLog(path: lines, table: table, goingOnAfter: 9)
    #expect(try text() == rows[0] + "\n")
  }
}
