import Charts

/// The figures of what runs measured while they trained.
struct Curves {
  /// Of more steps the means of so many groups are shown.
  private static let groups = 160

  private let runs: [RecordedRun]
  /// Whether the axis counts epochs, as it does where all runs know theirs; steps otherwise.
  private let countsEpochs: Bool

  init(_ runs: [RecordedRun]) {
    self.runs = runs
    countsEpochs = runs.allSatisfy { run in run.stepsPerEpoch.map { run.lastStep >= $0 } ?? false }
  }

  var charts: [LineChart] {
    (measures + [learningRate, speed]).filter { !$0.isEmpty }
  }

  private var xTitle: String { countsEpochs ? "epoch" : "step" }

  private func x(_ step: Int, _ run: RecordedRun) -> Double {
    countsEpochs ? Double(step) / Double(run.stepsPerEpoch ?? 1) : Double(step)
  }

  /// Of one run training and test share a figure; of several each has its own, to be compared.
  private var measures: [LineChart] {
    guard let run = runs.first, runs.count == 1 else {
      return [
        LineChart(title: "Test loss", xTitle: xTitle, lines: evaluations(\.tests, \.loss), scale: .logarithmic),
        accuracyChart("Test accuracy", evaluations(\.tests, \.accuracy)),
        LineChart(
          title: "Validation loss", xTitle: xTitle, lines: evaluations(\.validations, \.loss), scale: .logarithmic),
        accuracyChart("Validation accuracy", evaluations(\.validations, \.accuracy)),
        LineChart(title: "Training loss", xTitle: xTitle, lines: steps(\.loss), scale: .logarithmic),
        accuracyChart("Training accuracy", steps(\.accuracy)),
      ]
    }
    var accuracy = accuracyChart(
      "Accuracy",
      [line("training", run, \.accuracy, style: 0, band: false)] + evaluations(of: run, \.accuracy))
    if let best = run.best {
      accuracy.note = LineChart.Note(
        point: LineChart.Point(x: x(best.step, run), y: best.accuracy),
        text: "best test: \(ValueText.percent(best.accuracy))")
    }
    return [
      LineChart(
        title: "Loss", xTitle: xTitle,
        lines: [line("training", run, \.loss, style: 0, band: true)] + evaluations(of: run, \.loss),
        scale: .logarithmic), accuracy,
    ]
  }

  private func accuracyChart(_ title: String, _ lines: [LineChart.Line]) -> LineChart {
    LineChart(title: title, xTitle: xTitle, lines: lines, scale: .accuracy, format: ValueText.shortPercent)
  }

  private var learningRate: LineChart {
    LineChart(title: "Learning rate", xTitle: xTitle, lines: steps(\.learningRate), includesZero: true)
  }

  private var speed: LineChart {
    LineChart(
      title: "Speed, images/s", xTitle: xTitle, lines: steps(\.imagesPerSecond), format: { ValueText.grouped($0) },
      includesZero: true)
  }

  private func label(_ run: RecordedRun) -> String { runs.count == 1 ? "" : run.name }

  private func steps(_ value: KeyPath<RecordedRun.Step, Double>) -> [LineChart.Line] {
    runs.enumerated().map { line(label($1), $1, value, style: $0, band: false) }
  }

  /// A line a run that has such evaluations.
  private func evaluations(
    _ kind: KeyPath<RecordedRun, [RecordedRun.Test]>, _ value: KeyPath<RecordedRun.Test, Double>
  ) -> [LineChart.Line] {
    runs.enumerated().filter { !$1[keyPath: kind].isEmpty }
      .map { evaluationLine($1.name, $1, $1[keyPath: kind], value, style: $0) }
  }

  /// Test and, where samples are held back, validation, whose curve is the longer one then.
  private func evaluations(
    of run: RecordedRun, _ value: KeyPath<RecordedRun.Test, Double>
  ) -> [LineChart.Line] {
    [("test", run.tests, 1), ("validation", run.validations, 2)].filter { $0.0 == "test" || !$0.1.isEmpty }
      .map { evaluationLine($0.0, run, $0.1, value, style: $0.2) }
  }

  private func evaluationLine(
    _ label: String, _ run: RecordedRun, _ evaluations: [RecordedRun.Test],
    _ value: KeyPath<RecordedRun.Test, Double>, style: Int
  ) -> LineChart.Line {
    LineChart.Line(
      label: label, points: evaluations.map { LineChart.Point(x: x($0.step, run), y: $0[keyPath: value]) },
      style: style, isMarked: true)
  }

  private func line(
    _ label: String, _ run: RecordedRun, _ value: KeyPath<RecordedRun.Step, Double>, style: Int, band: Bool
  ) -> LineChart.Line {
    let size = max(1, (run.steps.count + Self.groups - 1) / Self.groups)
    let points = stride(from: 0, to: run.steps.count, by: size).compactMap { start -> LineChart.Point? in
      let group = run.steps[start..<min(start + size, run.steps.count)]
      let values = group.map { $0[keyPath: value] }.filter(\.isFinite)
      guard let last = group.last, !values.isEmpty else { return nil }
      return LineChart.Point(
        x: x(last.step, run), y: values.reduce(0, +) / Double(values.count), low: values.min() ?? .nan,
        high: values.max() ?? .nan)
    }
    return LineChart.Line(label: label, points: points, style: style, hasBand: band && size > 1)
  }
}

/// An epoch of a run, in figures.
struct EpochRow: Equatable {
  let epoch: Int
  let loss: Double
  let accuracy: Double
  let learningRate: Double
  let imagesPerSecond: Double
  let test: RecordedRun.Test?
  /// Of the samples that were held back.
  let validation: RecordedRun.Test?

  static func rows(_ run: RecordedRun) -> [EpochRow] {
    let tests = Dictionary(run.tests.map { ($0.epoch, $0) }, uniquingKeysWith: { $1 })
    let validations = Dictionary(run.validations.map { ($0.epoch, $0) }, uniquingKeysWith: { $1 })
    let steps = Dictionary(grouping: run.steps, by: \.epoch)
    return Set(steps.keys).union(tests.keys).union(validations.keys).sorted().map { epoch in
      let steps = steps[epoch] ?? []
      func mean(_ value: KeyPath<RecordedRun.Step, Double>) -> Double {
        let values = steps.map { $0[keyPath: value] }.filter(\.isFinite)
        return values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
      }
      let rates = steps.map(\.imagesPerSecond).filter(\.isFinite).sorted()
      return EpochRow(
        epoch: epoch, loss: mean(\.loss), accuracy: mean(\.accuracy), learningRate: mean(\.learningRate),
        imagesPerSecond: rates.isEmpty ? .nan : rates[rates.count / 2], test: tests[epoch],
        validation: validations[epoch])
    }
  }
}
