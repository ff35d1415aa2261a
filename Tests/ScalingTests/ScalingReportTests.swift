import Benchmarks
import Configuration
import Failures
import Foundation
import Testing

@testable import Scaling

/// A figure of each round, which makes half as much of each further rank.
private func report(_ ranks: [Int], cores: Int = 2, kind: ScalingPlan.Kind = .strong) -> ScalingReport {
  var report = ScalingReport()
  report.kind = kind
  report.cores = cores
  report.hosts = 1
  report.rounds = 3
  report.trainingSamples = 6000
  report.microbatch = 5
  report.dataset = "mnist"
  report.rows = ranks.map { count in
    var row = ScalingRow(ranks: count, batch: 100)
    for round in 0..<3 {
      var figures = BenchFigures()
      figures.imagesPerSecond = 1000 * Double(count + 1) / 2 + Double(round * 10 - 10)
      figures.stepMilliseconds = 20
      figures.stages = [
        "computation": 8, "local_additions": 2, "waiting": 3, "transfer": 1, "finishing": 1, "update": 2,
        "preparation": 1,
      ]
      row.add(figures)
    }
    return row
  }
  return report
}

private func settings(batch: Int, microbatch: Int) -> Settings {
  var settings = Settings()
  settings.training.batch = batch
  settings.training.microbatch = microbatch
  return settings
}

private func plan(_ kind: ScalingPlan.Kind, _ ranks: [Int], _ settings: Settings) -> ScalingPlan {
  ScalingPlan(
    kind: kind, ranks: ranks, rounds: 1, secondsPerRound: 1, settings: settings, settingsArguments: ["seed=1"],
    accuracy: nil, folder: "f", mpirunOptions: [], program: "dtrain", version: "1", path: "/dtrain")
}

@Suite struct ScalingReportTests {
  @Test func efficiencyIsAgainstSoManyTimesOneRank() {
    let report = report([1, 2, 4])
    #expect(report.rows.map(report.speedup) == [1, 1.5, 2.5])
    #expect(report.rows.map(report.efficiency) == [1, 0.75, 0.625])
    // Four ranks on two cores: what two cores could have done.
    #expect(report.rows.map(report.efficiencyOfCores) == [1, 0.75, 1.25])
    #expect(report.rows.map(report.isOversubscribed) == [false, false, true])
  }

  @Test func theLeastNumberOfRanksStandsForOne() {
    let report = report([2, 4])
    #expect(report.ofOneRank == 750)
    #expect(report.speedup(report.rows[0]) == 2 && report.efficiency(report.rows[0]) == 1)
  }

  @Test func coresOfSeveralHostsAreNotCounted() {
    var report = report([1, 4])
    report.hosts = 2
    #expect(!report.rows.contains(where: report.isOversubscribed))
    #expect(!report.notes.contains { $0.contains("share") })
  }

  @Test func theTableSaysWhatMoreRanksThanCoresMean() throws {
    let lines = report([1, 2, 4]).lines
    let heading = try #require(lines.first { $0.contains("speed-up") })
    let columns = heading.split(separator: " ")
    #expect(columns.contains("compute") && columns.contains("waiting") && !columns.contains("epochs"))
    let row = try #require(lines.first { $0.split(separator: " ").first == "2" })
    #expect(row.contains("1500") && row.contains("75 %") && row.contains("10.00") && row.contains("20.00"))
    #expect(lines.contains { $0.contains("4 ranks share 2 cores") && $0.contains("not what more cores would bring") })
    #expect(!report([1, 2]).lines.contains { $0.contains("ranks share") })
  }

  @Test func theTableOfValuesHasAColumnAField() throws {
    var report = report([1, 2])
    report.accuracy = 0.99
    report.rows[0].epochs = 3
    report.rows[1].epochs = 3
    report.rows[1].measuredSeconds = 12.5
    let rows = report.csv.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows.count == 3 && rows.allSatisfy { $0.count == rows[0].count })
    func value(_ row: Int, _ name: String) throws -> Substring {
      rows[row][try #require(rows[0].firstIndex(of: Substring(name)))]
    }
    for field in ScalingReport.fields { #expect(rows[0].contains(Substring(field.name))) }
    #expect(try value(2, "images_per_second") == "1500" && value(2, "images_per_second_best") == "1510")
    #expect(try value(2, "efficiency") == "0.75" && value(1, "measured_seconds_to_accuracy").isEmpty)
    #expect(try value(1, "seconds_to_accuracy") == "18" && value(2, "seconds_to_accuracy") == "12")
    #expect(try value(2, "measured_seconds_to_accuracy") == "12.5")
    #expect(try value(1, "own_bytes").isEmpty)

    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(report.json.encoded.utf8)) as? [String: Any])
    #expect(json["kind"] as? String == "strong" && json["accuracy"] as? Double == 0.99)
    let runs = try #require(json["runs"] as? [[String: Any]])
    #expect(runs.count == 2 && runs[1]["waiting_milliseconds"] as? Double == 3)
    #expect(runs[1]["images_per_second_rounds"] as? [Double] == [1490, 1500, 1510])
    #expect(runs[0]["measured_seconds_to_accuracy"] is NSNull)
  }

  @Test func epochsOfStrongScalingAreToldToBeThoseOfOneRun() {
    var report = report([1, 2])
    report.accuracy = 0.99
    report.rows[0].epochs = 3
    report.rows[1].epochs = 3
    report.rows[1].measuredSeconds = 12.5
    #expect(report.notes.contains { $0.contains("those of one run, on 2 ranks: the bits") })
    report.kind = .weak
    report.rows[0].epochs = nil
    #expect(report.notes.contains { $0.contains("each row's own run") })
    #expect(report.notes.contains { $0.contains("was not reached") })
  }

  @Test func thePicturesShowWhatWasMeasured() {
    var report = report([1, 2, 4])
    let names = report.pictures.map(\.name)
    #expect(names == ["throughput.svg", "efficiency.svg", "step.svg"])
    report.accuracy = 0.99
    report.rows[0].epochs = 3
    #expect(report.pictures.map(\.name).contains("accuracy.svg"))
    for (_, text) in report.pictures {
      #expect(text.hasPrefix("<?xml") && text.hasSuffix("</svg>\n") && !text.contains("nan"))
      #expect(!text.contains("var(--"))
    }
    #expect(report.pictures[0].text.contains("ideal, 2 cores"))
    #expect(report.pictures[2].text.contains("waiting for the slowest"))
  }
}

@Suite struct ScalingPlanTests {
  @Test func weakScalingGivesEachRankItsBatch() throws {
    let weak = plan(.weak, [1, 4], settings(batch: 50, microbatch: 5))
    #expect(weak.batch(ranks: 4) == 200)
    #expect(weak.arguments(ranks: 4) == ["seed=1", "training.batch=200", "training.threads=1"])
    #expect(
      plan(.strong, [4], settings(batch: 50, microbatch: 5)).arguments(ranks: 4) == ["seed=1", "training.threads=1"])
    try weak.validate()
  }

  @Test func ranksWithoutWorkAreRefused() throws {
    try plan(.strong, [1, 10], settings(batch: 50, microbatch: 5)).validate()
    let failure = #expect(throws: Failure.self) {
      try plan(.strong, [1, 11], settings(batch: 50, microbatch: 5)).validate()
    }
    #expect(failure?.code == .configuration && failure?.cause.contains("11 ranks share 10 microbatches") == true)
  }

  @Test func whatIsNoFileOfFiguresIsToldSo() throws {
    for text in ["", "{}", "[1]", #"{"training_images_per_second":null,"training_samples":3,"step_milliseconds":1}"#] {
      let failure = #expect(throws: Failure.self) { try BenchFigures(Array(text.utf8), from: "bench.json") }
      #expect(failure?.code == .badData && failure?.cause.hasPrefix("bench.json") == true)
    }
    let text = """
      {"hosts":["a","a"],"training_images_per_second":5,"training_samples":3,"step_milliseconds":2,"memory":null,
      "stages":{"waiting_milliseconds":1,"waiting_milliseconds_rounds":[1]},"first_step_seconds":null}
      """
    let good = try BenchFigures(Array(text.utf8), from: "bench.json")
    #expect(good.hosts == ["a"] && good.stages == ["waiting": 1] && good.firstStepSeconds.isNaN)
  }

  @Test func testsAreReadAsTheyCome() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dtrain-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "metrics.jsonl")
    var records = TestRecords(path: path.path)
    #expect(records.next().isEmpty)
    let step = #"{"kind":"step","step":1,"epoch":1}"# + "\n"
    let test = #"{"kind":"test","step":1,"epoch":1,"test_accuracy":0.5,"seconds":2}"# + "\n"
    let validation = #"{"kind":"validation","step":2,"epoch":2,"validation_accuracy":0.75,"seconds":3}"#
    try Data((step + test + validation).utf8).write(to: path)
    #expect(records.next() == [TestRecords.Record(epoch: 1, accuracy: 0.5, seconds: 2)])
    #expect(records.next().isEmpty)
    try Data((step + test + validation + "\n").utf8).write(to: path)
    #expect(records.next() == [TestRecords.Record(epoch: 2, accuracy: 0.75, seconds: 3)])
  }
}
