import Charts

extension SimulationReport {
  /// Names of files and what is in them.
  public var pictures: [(name: String, text: String)] {
    var pictures = [
      ("throughput.svg", throughput.document), ("efficiency.svg", efficiencyChart.document),
      ("step.svg", step.document),
    ]
    if rows.contains(where: { seconds($0) != nil }) { pictures.append(("time.svg", time.document)) }
    if rows.contains(where: { $0.interval != nil }) {
      pictures.append(("loss.svg", loss.document))
      pictures.append(("interval.svg", interval.document))
    }
    return pictures
  }

  private var ticks: [Double] { rows.map { Double($0.ranks) } }
  private var kind: String { "Simulated \(plan.isWeak ? "weak" : "strong") scaling" }

  private func points(_ value: (SimulatedRow) -> Double?) -> [LineChart.Point] {
    rows.compactMap { row in value(row).map { LineChart.Point(x: Double(row.ranks), y: $0) } }
  }

  private func chart(_ title: String, _ lines: [LineChart.Line], _ format: @escaping @Sendable (Double) -> String)
    -> LineChart
  {
    var chart = LineChart(title: title, xTitle: "ranks", lines: lines, format: format, xTicks: ticks)
    chart.xScale = .logarithmic
    return chart
  }

  private var throughput: LineChart {
    var lines = [
      LineChart.Line(label: "predicted", points: points { $0.imagesPerSecond }, style: 0, isMarked: true),
      LineChart.Line(label: "ideal", points: points { ofOneRank * Double($0.ranks) }, style: 5),
    ]
    if plan.failures != nil {
      lines.append(
        LineChart.Line(label: "with failures", points: points { $0.imagesPerSecond * (1 - $0.loss) }, style: 4))
    }
    if rows.contains(where: { $0.measured != nil }) {
      lines.append(LineChart.Line(label: "measured", points: points { $0.measured }, style: 1, isMarked: true))
    }
    var chart = chart("\(kind): images/s", lines) { ValueText.grouped($0) }
    chart.scale = .logarithmic
    return chart
  }

  private var efficiencyChart: LineChart {
    var chart = chart(
      "\(kind): efficiency",
      [LineChart.Line(label: "of ranks", points: points(efficiency), style: 0, isMarked: true)], ValueText.shortPercent)
    chart.includesZero = true
    return chart
  }

  private var step: StackedBars {
    StackedBars(
      title: "Where a simulated step's time goes", unit: "ms",
      parts: ["compute", "waiting for the slowest", "transfer", "update", "rest"],
      bars: rows.map { row in
        let times = row.times
        return StackedBars.Bar(
          label: "\(row.ranks) \(row.ranks == 1 ? "rank" : "ranks")",
          values: [times.computation, times.waiting, times.transfer, times.update, times.fixed]
            .map { $0.isFinite ? ($0 * 1e5).rounded() / 100 : 0 })
      })
  }

  private var time: LineChart {
    var chart = chart(
      "Hours of the whole training",
      [LineChart.Line(label: "training", points: points { seconds($0).map { $0 / 3600 } }, style: 2, isMarked: true)],
      ValueText.plain)
    chart.scale = .logarithmic
    return chart
  }

  private var loss: LineChart {
    let simulated = points { row in row.interval.map { $0.simulatedLoss($0.daly) } }
    var chart = chart(
      "Share of the time lost to failures and checkpoints",
      [
        LineChart.Line(label: "expected", points: points { $0.loss }, style: 0, isMarked: true),
        LineChart.Line(label: "simulated", points: simulated, style: 1),
      ], ValueText.shortPercent)
    chart.includesZero = true
    return chart
  }

  private var interval: LineChart {
    var chart = chart(
      "Minutes from checkpoint to checkpoint",
      [
        LineChart.Line(label: "Daly", points: points { $0.interval.map { $0.daly / 60 } }, style: 0, isMarked: true),
        LineChart.Line(label: "Young", points: points { $0.interval.map { $0.young / 60 } }, style: 1),
        LineChart.Line(label: "simulation's best", points: points { $0.interval.map { $0.best / 60 } }, style: 2),
      ], ValueText.plain)
    chart.scale = .logarithmic
    return chart
  }
}
