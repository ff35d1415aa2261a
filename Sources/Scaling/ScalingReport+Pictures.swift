import Charts

extension ScalingReport {
  /// Names of files and what is in them.
  public var pictures: [(name: String, text: String)] {
    var pictures = [
      ("throughput.svg", throughput.document), ("efficiency.svg", efficiencyChart.document),
      ("step.svg", step.document),
    ]
    if accuracy != nil, !accuracyChart.isEmpty { pictures.append(("accuracy.svg", accuracyChart.document)) }
    return pictures
  }

  private var ticks: [Double] { rows.map { Double($0.ranks) } }

  private func points(_ value: (ScalingRow) -> Double) -> [LineChart.Point] {
    rows.map { LineChart.Point(x: Double($0.ranks), y: value($0)) }
  }

  private var throughput: LineChart {
    var measured = points { $0.imagesPerSecond.median }
    for index in rows.indices {
      measured[index].low = rows[index].imagesPerSecond.values.min() ?? .nan
      measured[index].high = rows[index].imagesPerSecond.values.max() ?? .nan
    }
    var lines = [
      LineChart.Line(label: "measured", points: measured, style: 0, isMarked: true, hasBand: true),
      LineChart.Line(label: "ideal", points: points { ofOneRank * Double($0.ranks) }, style: 5),
    ]
    if rows.contains(where: isOversubscribed) {
      lines.append(
        LineChart.Line(
          label: "ideal, \(cores) \(cores == 1 ? "core" : "cores")",
          points: points { ofOneRank * Double(usableRanks($0)) }, style: 1))
    }
    return LineChart(
      title: "\(kind == .strong ? "Strong" : "Weak") scaling: images/s", xTitle: "ranks", lines: lines,
      format: { ValueText.grouped($0) }, includesZero: true, xTicks: ticks)
  }

  private var efficiencyChart: LineChart {
    var lines = [LineChart.Line(label: "of ranks", points: points(efficiency), style: 0, isMarked: true)]
    if rows.contains(where: isOversubscribed) {
      lines.append(LineChart.Line(label: "of cores", points: points(efficiencyOfCores), style: 1, isMarked: true))
    }
    return LineChart(
      title: "\(kind == .strong ? "Strong" : "Weak") scaling: efficiency", xTitle: "ranks", lines: lines,
      format: ValueText.shortPercent, includesZero: true, xTicks: ticks)
  }

  private var step: StackedBars {
    StackedBars(
      title: "Where a step's time goes", unit: "ms",
      parts: ["compute", "waiting for the slowest", "transfer", "update", "rest"],
      bars: rows.map { row in
        StackedBars.Bar(
          label: Self.ranks(row.ranks),
          values: [row.computation, row.waiting, row.transfer, row.update].map { $0.median.hundredths }
            + [rest(row).hundredths])
      })
  }

  private var accuracyChart: LineChart {
    LineChart(
      title: "Seconds to \(Self.fixed((accuracy ?? 0) * 100, 2)) %", xTitle: "ranks",
      lines: [
        LineChart.Line(
          label: "training",
          points: rows.compactMap { row in
            secondsToAccuracy(row).map { LineChart.Point(x: Double(row.ranks), y: $0) }
          }, style: 2, isMarked: true)
      ], format: { ValueText.plain($0.hundredths) }, includesZero: true, xTicks: ticks)
  }
}

extension Double {
  fileprivate var hundredths: Double { isFinite ? (self * 100).rounded() / 100 : 0 }
}
