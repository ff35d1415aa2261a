import Reporting

extension SimulationReport {
  /// As a person reads it: what was simulated, the figures and where they are from, the tables, and what to make of them.
  public var lines: [String] {
    var lines = header.lines + [""] + figures.lines + [""] + table.lines
    if rows.contains(where: { $0.interval != nil }) { lines += [""] + failures.lines }
    if rows.contains(where: { $0.measured != nil }) { lines += [""] + comparison.lines }
    return lines + [""] + notes
  }

  private var header: RunHeader {
    var header = RunHeader(title: "\(plan.program), simulated \(plan.isWeak ? "weak" : "strong") scaling")
    let operations = Self.fixed(plan.workload.operations * 1e-6, 1)
    header.add(
      "network",
      "\(plan.workload.name), \(plan.workload.parameters) parameters, \(operations) million operations an image forward "
        + "(\(plan.workload.source))")
    let cores = plan.cores.map { " with \($0) \($0 == 1 ? "core" : "cores")" } ?? ""
    header.add(
      "nodes", "\(plan.ranksPerNode) \(plan.ranksPerNode == 1 ? "rank" : "ranks") on each\(cores)")
    header.add("batch", "\(plan.batch)\(plan.isWeak ? " a rank" : ""), microbatches of \(plan.microbatch)")
    return header
  }

  private var figures: TextTable {
    var table = TextTable([.left, .right, .right, .left])
    table.add(["figure", "value", "missed by", "from"])
    for figure in CostFigure.allCases {
      guard let entry = plan.figures.entries[figure] else { continue }
      table.add([
        figure.rawValue, entry.value.isFinite ? Self.digits(entry.value) : "any",
        entry.residual.map(Self.percent) ?? "–", entry.source,
      ])
    }
    return table
  }

  private var table: TextTable {
    let hasTime = rows.contains { seconds($0) != nil }
    var table = TextTable(Array(repeating: .right, count: 15))
    table.add(
      [
        "ranks", "nodes", "batch", "form", "images/s", "speed-up", "efficiency", "step ms", "compute", "waiting",
        "transfer", "update", "rest", "MB a rank",
      ] + (hasTime ? ["time"] : []))
    for row in rows {
      let times = row.times
      let parts = [times.step, times.computation, times.waiting, times.transfer, times.update, times.fixed]
      table.add(
        [
          "\(row.ranks)", "\(row.nodes)", "\(row.batch)", row.form?.rawValue ?? "–", Self.fixed(row.imagesPerSecond, 0),
          Self.fixed(speedup(row), 2), Self.percent(efficiency(row)),
        ] + parts.map { Self.fixed($0 * 1e3, 2) } + [Self.fixed(row.memory * 1e-6, 1)]
          + (hasTime ? [seconds(row).map(NumberText.duration) ?? "–"] : []))
    }
    return table
  }

  private var failures: TextTable {
    var table = TextTable(Array(repeating: .right, count: 8))
    table.add([
      "ranks", "failure every", "checkpoint every", "Young", "simulation's best", "loss", "simulated", "images/s",
    ])
    for row in rows {
      guard let interval = row.interval else { continue }
      table.add([
        "\(row.ranks)", NumberText.duration(interval.life), NumberText.duration(interval.daly),
        NumberText.duration(interval.young), NumberText.duration(interval.best), Self.percent(row.loss),
        Self.percent(interval.simulatedLoss(interval.daly)), Self.fixed(row.imagesPerSecond * (1 - row.loss), 0),
      ])
    }
    return table
  }

  private var comparison: TextTable {
    var table = TextTable([.right, .right, .right, .right, .left])
    table.add(["ranks", "predicted images/s", "measured", "error", ""])
    for row in rows {
      guard let measured = row.measured, let error = row.error else { continue }
      table.add([
        "\(row.ranks)", Self.fixed(row.imagesPerSecond, 0), Self.fixed(measured, 0), Self.percent(error),
        row.isFitted ? "fitted" : "held out",
      ])
    }
    return table
  }

  /// What the figures mean, and what they do not.
  public var notes: [String] {
    var notes = [
      "A simulation: each rank's computing is drawn, the all-reduce goes message by message. 'Missed by': the root of the "
        + "mean square of what a fit misses its values by."
    ]
    if plan.epochs == nil, let accuracy = plan.scale?.accuracy, rows.contains(where: { $0.epochs != nil }) {
      notes.append(
        "Time: to a test accuracy of \(Self.fixed(accuracy * 100, 2)) %, in the epochs that \(plan.scale?.name ?? "") had "
          + "with the same batch.")
    }
    if plan.figures.rateIsMeasured, plan.workload != plan.measured {
      notes.append(
        "\(plan.workload.name) is taken to do as many operations a second as \(plan.measured.name), which was measured."
      )
    }
    if plan.figures.entries[.memory] == nil {
      notes.append("Memory is that of vectors as long as the gradient; activations and the program come on top.")
    }
    if let short = rows.first(where: { $0.steps < plan.steps }) {
      notes.append(
        "From \(short.ranks) ranks on fewer than \(plan.steps) steps were simulated where messages are too many.")
    }
    if plan.failures != nil {
      notes.append(
        "Checkpoints by Daly's formula. The loss is what checkpoints, work done again and restarts take of the time.")
    }
    return notes
  }

  static func fixed(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? NumberText.fixed(value, decimals: decimals) : "–"
  }

  static func percent(_ share: Double) -> String { share.isFinite ? "\(fixed(share * 100, 1)) %" : "–" }

  /// With about four digits that tell.
  static func digits(_ value: Double) -> String {
    let size = value.magnitude
    return fixed(value, size >= 1000 ? 0 : size >= 10 ? 2 : size >= 0.1 ? 3 : 5)
  }
}
