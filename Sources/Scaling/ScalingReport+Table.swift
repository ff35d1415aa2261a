import Reporting

extension ScalingReport {
  /// As a person reads it: what was measured, the table, and what to make of it.
  public var lines: [String] { header.lines + [""] + table.lines + [""] + notes }

  private var header: RunHeader {
    var header = RunHeader(
      title: "\(program), \(kind.rawValue) scaling, \(rounds) \(rounds == 1 ? "round" : "rounds") of "
        + "\(Self.fixed(secondsPerRound, 1)) s")
    header.add("processor", processor)
    let cores = hosts > 1 ? "\(hosts) hosts" : "\(self.cores) \(self.cores == 1 ? "core" : "cores")"
    header.add("machine", "\(cores), \(threadsPerRank) \(threadsPerRank == 1 ? "thread" : "threads") a rank")
    header.add("data", "\(dataset), \(trainingSamples) training images, microbatches of \(microbatch)")
    return header
  }

  private var table: TextTable {
    let hasAccuracy = accuracy != nil
    var table = TextTable(Array(repeating: .right, count: 14))
    table.add(
      [
        "ranks", "batch", "images/s", "best", "speed-up", "efficiency", "of cores", "step ms", "compute", "waiting",
        "transfer", "update",
      ] + (hasAccuracy ? ["epochs", "seconds"] : []))
    for row in rows {
      let seconds = row.measuredSeconds ?? secondsToAccuracy(row)
      let toAccuracy = [row.epochs.map { "\($0)" } ?? "–", seconds.map { Self.fixed($0, 1) } ?? "–"]
      table.add(
        [
          "\(row.ranks)", "\(row.batch)", Self.fixed(row.imagesPerSecond.median, 0),
          Self.fixed(row.imagesPerSecond.best, 0), Self.fixed(speedup(row), 2), Self.percent(efficiency(row)),
          Self.percent(efficiencyOfCores(row)), Self.fixed(row.step.median, 2), Self.fixed(row.computation.median, 2),
          Self.fixed(row.waiting.median, 2), Self.fixed(row.transfer.median, 2), Self.fixed(row.update.median, 2),
        ] + (hasAccuracy ? toAccuracy : []))
    }
    return table
  }

  /// What the figures mean, and what they do not.
  public var notes: [String] {
    var notes = [
      "Medians of the rounds. Efficiency: against so many times one rank. Parts of a step: means over the ranks;"
        + " transfer is what the last rank to come takes, waiting what the others take longer."
    ]
    let shared = rows.filter(isOversubscribed).map { "\($0.ranks)" }
    if !shared.isEmpty {
      notes.append(
        "\(shared.joined(separator: ", ")) ranks share \(cores) \(cores == 1 ? "core" : "cores"): there the curve shows "
          + "what dividing the work costs, not what more cores would bring. 'Of cores' compares with the cores that there "
          + "are; waiting and transfer hold the time in which a rank had no core.")
    }
    if let accuracy {
      let target = "\(Self.fixed(accuracy * 100, 2)) %"
      switch kind {
      case .strong:
        let run = rows.first { $0.measuredSeconds != nil }.map { Self.ranks($0.ranks) } ?? "other ranks"
        notes.append(
          "Epochs to \(target) are those of one run, on \(run): the bits, and so the accuracy, are the same at "
            + "every number. Its seconds are measured, with evaluations; those of other numbers are epochs times images "
            + "by images/s.")
      case .weak:
        notes.append(
          "Epochs and seconds to \(target) are each row's own run, evaluations included: another batch is another "
            + "training.")
      }
      if rows.contains(where: { $0.epochs == nil }) {
        notes.append("– stands where \(target) was not reached in training.epochs epochs.")
      }
    }
    return notes
  }

  static func ranks(_ count: Int) -> String { "\(count) \(count == 1 ? "rank" : "ranks")" }

  static func fixed(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? NumberText.fixed(value, decimals: decimals) : "–"
  }

  private static func percent(_ share: Double) -> String { share.isFinite ? "\(fixed(share * 100, 0)) %" : "–" }
}
