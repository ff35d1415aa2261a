import Foundation
import Testing

@testable import Reporting

private let progress = RunProgress(
  epoch: 3, epochs: 20, step: 1234, steps: 12000, loss: 0.04321, accuracy: 0.98714, imagesPerSecond: 3512.4,
  secondsLeft: 312)

private func line(_ columns: Int, _ progress: RunProgress = progress, color: Bool = false, unicode: Bool = false)
  -> String
{
  ProgressLine.text(progress, terminal: Terminal(columns: columns, hasColor: color, hasUnicode: unicode))
}

@Suite struct ProgressLineTests {
  @Test func aWideTerminalShowsEverything() {
    #expect(
      line(200)
        == "epoch 3/20  ====------------------------------------  step 1234/12000  loss 0.0432  accuracy 0.9871"
        + "  3512 images/s  5:12 left")
  }

  @Test func eightyColumnsShowEverythingInFewerWords() {
    #expect(line(80) == "epoch 3/20  =----------  1234/12000  loss 0.0432  acc 0.9871  3512/s  5:12 left")
  }

  @Test func fortyColumnsShowWhatMattersMost() {
    #expect(line(40) == "3/20  1234/12000  loss 0.0432  5:12")
  }

  @Test(arguments: 0...220)
  func theLineIsNarrowerThanTheTerminal(_ columns: Int) {
    let line = line(columns)
    #expect(line.count <= max(0, columns - 1))
    if columns > 10 { #expect(line.contains("1234/12000")) }
  }

  @Test func moreRoomNeverShowsFewerFields() {
    let marks = ["loss", "acc", "/s", "5:12", "3/20"]
    var shown = 0
    for columns in 11...220 {
      let count = marks.filter(line(columns).contains).count
      #expect(count >= shown)
      shown = count
    }
    #expect(shown == marks.count)
  }

  @Test func colorAddsNoColumns() {
    let colored = line(80, color: true, unicode: true)
    #expect(colored.contains("\u{1B}[36m━"))
    let visible = colored.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    #expect(visible == line(80, unicode: true))
    #expect(visible.count == line(80).count)
  }

  @Test func theBarEndsFull() {
    var done = progress
    done.step = 12000
    #expect(!line(200, done).contains("-"))
    done.step = 0
    #expect(!line(200, done).contains("="))
  }

  @Test func whatIsNotKnownIsNotShown() {
    let start = RunProgress(epoch: 1, epochs: 2, step: 0, steps: 10)
    #expect(ProgressLine.plain(start) == "epoch 1/2  step 0/10")
    #expect(
      ProgressLine.plain(progress)
        == "epoch 3/20  step 1234/12000  loss 0.0432  accuracy 0.9871  3512 images/s  5:12 left")
  }
}

@Suite struct RecentMeansTests {
  @Test func aSteadyRateIsFound() throws {
    var meter = RateMeter()
    #expect(meter.imagesPerSecond == nil)
    meter.start(at: 10)
    for step in 1...100 { meter.add(100, at: 10 + Double(step) * 0.05) }
    #expect(abs(try #require(meter.imagesPerSecond) - 2000) < 1e-6)
  }

  @Test func aPauseDoesNotCount() throws {
    var meter = RateMeter()
    meter.start(at: 0)
    meter.add(100, at: 1)
    meter.start(at: 50)
    meter.add(100, at: 51)
    #expect(abs(try #require(meter.imagesPerSecond) - 100) < 1e-9)
  }

  @Test func aNewRateTakesOver() throws {
    var meter = RateMeter(horizon: 5)
    meter.start(at: 0)
    for second in 1...20 { meter.add(100, at: Double(second)) }
    for second in 21...60 { meter.add(300, at: Double(second)) }
    #expect(abs(try #require(meter.imagesPerSecond) - 300) < 5)
  }

  @Test func theMeanIsExactUntilTheHorizonAndThenForgets() throws {
    var mean = RecentMean(horizon: 10)
    #expect(mean.value == nil)
    mean.add(sum: 4, samples: 4)
    mean.add(sum: 12, samples: 4)
    #expect(mean.value == 2)
    for _ in 0..<20 { mean.add(sum: 12, samples: 4) }
    #expect(abs(try #require(mean.value) - 3) < 1e-3)
    mean.add(sum: 100, samples: 20)
    #expect(mean.value == 5)
  }
}

/// What a reporter wrote to a file, which is no terminal unless `line` is asked for.
private func written(_ mode: ProgressMode, _ body: (ProgressReporter) -> Void) throws -> String {
  let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
  defer { try? FileManager.default.removeItem(atPath: path) }
  let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
  defer { close(descriptor) }
  let output = TextOutput(descriptor: descriptor)
  body(
    ProgressReporter(
      output: output, mode: mode, epochs: 2, steps: 1000, images: 100_000, evaluations: 2,
      environment: { ["TERM": "xterm", "NO_COLOR": "1"][$0] }))
  try output.finish()
  return try String(contentsOfFile: path, encoding: .utf8)
}

@Suite struct ProgressReporterTests {
  private func run(_ reporter: ProgressReporter, steps: Int = 1000, secondsAStep: Double = 0.05) {
    reporter.start(at: 0)
    for step in 1...steps {
      reporter.stepDone(
        epoch: step > 500 ? 2 : 1, step: step, samples: 100, lossSum: 50, correct: 90, at: Double(step) * secondsAStep)
    }
  }

  @Test func aLogGetsALineEveryFewSeconds() throws {
    let lines = try written(.auto) { run($0) }.split(separator: "\n")
    #expect(lines.count == 10)
    #expect(lines[0] == "epoch 1/2  step 1/1000  loss 0.5000  accuracy 0.9000  2000 images/s  0:50 left")
    #expect(lines[9].hasPrefix("epoch 2/2  step 901/1000 "))
    #expect(!lines.joined().contains("\u{1B}"))
  }

  @Test func linesOfALongRunGetRare() throws {
    let lines = try written(.plain) { run($0, secondsAStep: 10) }.split(separator: "\n")
    #expect(lines.count > 160 && lines.count < 200)
  }

  @Test func aTerminalLineIsRewrittenAndGivesWay() throws {
    let text = try written(.line) { reporter in
      run(reporter, steps: 5)
      reporter.writeLine("epoch done")
      reporter.clear()
    }
    let parts = text.split(separator: "\r", omittingEmptySubsequences: false)
    #expect(parts[0].isEmpty)
    #expect(parts[1].hasPrefix("epoch 1/2  --------"))
    #expect(parts[1].hasSuffix("\u{1B}[K"))
    #expect(text.hasSuffix("\r\u{1B}[Kepoch done\n"))
    #expect(text.split(separator: "\n").count == 1)
  }

  @Test func theTerminalIsNotFlooded() throws {
    let rewrites = try written(.line) { run($0, steps: 1000, secondsAStep: 0.001) }.count { $0 == "\r" }
    #expect(rewrites >= 9 && rewrites <= 11)
  }

  @Test func silenceKeepsOtherLines() throws {
    let text = try written(.none) { reporter in
      run(reporter)
      reporter.writeLine("result")
    }
    #expect(text == "result\n")
  }

  @Test func evaluationsToComeCountAsTime() throws {
    let text = try written(.plain) { reporter in
      reporter.evaluationDone(seconds: 100)
      run(reporter, steps: 1)
    }
    #expect(text.contains("2:30 left"))
  }
}
