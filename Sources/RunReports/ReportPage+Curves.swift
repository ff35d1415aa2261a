import Charts
import Reporting

extension ReportPage {
  /// Figures, and under them the same in tables.
  var curves: String {
    let charts = Curves(runs).charts
    guard !charts.isEmpty else { return "<p>No step was recorded.</p>\n" }
    var text = "<div class=\"charts\">\n"
    for chart in charts {
      text += "<figure>\n<figcaption>\(escaped(chart.title))</figcaption>\n\(chart.fragments)</figure>\n"
    }
    text += "</div>\n"
    if charts.contains(where: { $0.scale != .linear }) {
      text +=
        "<p class=\"aside\">Axes of loss are logarithmic; those of accuracy spread towards 100 %. "
        + "Training lines are means over groups of steps"
        + (runs.count == 1 ? ", the band is their least and greatest" : "") + ".</p>\n"
    }
    for run in runs {
      let name = runs.count > 1 ? " of \(escaped(run.name))" : ""
      text += "<details><summary>The figures\(name), epoch by epoch</summary>\n\(epochs(run))</details>\n"
    }
    return text
  }

  private func epochs(_ run: RecordedRun) -> String {
    func shown(_ value: Double, _ text: (Double) -> String) -> String { value.isFinite ? text(value) : "–" }
    func titles(_ kind: String) -> [String] { ["\(kind) loss", "\(kind) accuracy", "\(kind) errors"] }
    func cells(_ result: RecordedRun.Test?) -> [String] {
      guard let result else { return ["–", "–", "–"] }
      return [
        shown(result.loss, NumberText.loss), ValueText.percent(result.accuracy), ValueText.grouped(result.errors),
      ]
    }
    let isValidated = !run.validations.isEmpty
    return table(
      "epochs", caption: "\(run.name), epoch by epoch",
      ["epoch", "training loss", "training accuracy"] + (isValidated ? titles("validation") : []) + titles("test")
        + ["learning rate", "images/s"],
      EpochRow.rows(run).map { row in
        ["\(row.epoch)", shown(row.loss, NumberText.loss), shown(row.accuracy) { ValueText.percent($0) }]
          + (isValidated ? cells(row.validation) : []) + cells(row.test)
          + [shown(row.learningRate, ValueText.plain), shown(row.imagesPerSecond) { ValueText.grouped($0) }]
      })
  }

  /// A row of bars: shares of a whole, each with its class and its name.
  func bar(_ parts: [(style: String, share: Double, name: String)]) -> String {
    let pieces = parts.filter { $0.share > 0 }.map { part in
      "<span class=\"\(part.style)\" style=\"width:\(NumberText.fixed(min(1, part.share) * 100, decimals: 2))%\" "
        + "title=\"\(escaped(part.name))\"></span>"
    }
    return "<span class=\"bar\" aria-hidden=\"true\">\(pieces.joined())</span>"
  }

  func legend(_ entries: [(style: String, name: String)]) -> String {
    let items = entries.map { "<li><span class=\"swatch \($0.style)\" aria-hidden=\"true\"></span>\($0.name)</li>" }
    return "<ul class=\"legend\">\(items.joined())</ul>\n"
  }

  /// What each rank did with its time, over all that was recorded.
  var ranks: String {
    var text = ""
    for run in runs where run.ranks.contains(where: { $0.hosts.count > 1 }) || (runs.count == 1 && !run.ranks.isEmpty) {
      if runs.count > 1 { text += "<h3>\(escaped(run.name))</h3>\n" }
      text += balance(run)
    }
    return text.isEmpty
      ? ""
      : legend([
        ("computing", "computing gradients"), ("waiting", "waiting for others, and exchange"),
        ("updating", "update and the rest"),
      ]) + text
  }

  private func balance(_ run: RecordedRun) -> String {
    // A run may have gone on with another number of ranks: those of its end are shown.
    guard let last = run.ranks.last else { return "" }
    let records = run.ranks.filter { $0.hosts == last.hosts && $0.ranks == last.ranks }
    func sum(_ values: KeyPath<RecordedRun.Ranks, [Double]>, _ rank: Int) -> Double {
      records.reduce(0) { $0 + $1[keyPath: values][rank] }
    }
    let longest = last.hosts.indices.map { sum(\.stepSeconds, $0) }.max() ?? 0
    let rows = last.hosts.indices.map { rank -> [String] in
      let (all, computing, waiting) = (
        sum(\.stepSeconds, rank), sum(\.computationSeconds, rank), sum(\.exchangeSeconds, rank)
      )
      let rest = max(0, all - computing - waiting)
      func share(_ part: Double) -> Double { longest > 0 ? part / longest : 0 }
      return [
        "rank \(rank) <small>\(escaped(last.hosts[rank]))</small>",
        bar([
          ("computing", share(computing), "computing \(ValueText.percent(share(computing), decimals: 1))"),
          ("waiting", share(waiting), "waiting and exchange \(ValueText.percent(share(waiting), decimals: 1))"),
          ("updating", share(rest), "the rest \(ValueText.percent(share(rest), decimals: 1))"),
        ]), "\(NumberText.fixed(computing, decimals: 1)) s", "\(NumberText.fixed(waiting, decimals: 1)) s",
        "\(NumberText.fixed(rest, decimals: 1)) s",
        all > 0 ? ValueText.percent(computing / all, decimals: 1) : "–",
      ]
    }
    let steps = records.reduce(0) { $0 + $1.steps }
    return table(
      "bars", caption: "What the ranks did in \(ValueText.grouped(steps)) steps",
      ["rank", "share", "computing", "waiting", "rest", "computing, share"], rows)
  }

  /// The time of a step, layer by layer, of runs that have a profile.
  var times: String {
    var text = ""
    for run in runs {
      guard let profile = run.profile else { continue }
      if runs.count > 1 { text += "<h3>\(escaped(run.name))</h3>\n" }
      text += times(profile)
    }
    guard !text.isEmpty else {
      let run = ShellText.quoted(runs[0].folder)
      return "<p>Not measured. <code>dtrain report --profile \(escaped(run))</code> measures it here.</p>\n"
    }
    return legend([("forward", "forward"), ("backward", "backward"), ("updating", "neither")]) + text
  }

  private func times(_ profile: StepTimes) -> String {
    let longest = profile.parts.map(\.seconds).max() ?? 0
    let rows = profile.parts.map { part -> [String] in
      func share(_ seconds: Double) -> Double { longest > 0 ? seconds / longest : 0 }
      return [
        escaped(part.name) + (part.detail.isEmpty ? "" : " <small>\(escaped(part.detail))</small>"),
        bar([
          ("forward", share(part.forward), "forward"), ("backward", share(part.backward), "backward"),
          ("updating", share(part.other), "neither"),
        ]), "\(NumberText.fixed(part.seconds * 1e3, decimals: 2)) ms",
        ValueText.percent(part.seconds / profile.stepSeconds, decimals: 1),
      ]
    }
    let step = NumberText.fixed(profile.stepSeconds * 1e3, decimals: 1)
    return table("bars", caption: "Where \(step) ms of a step go", ["part", "share", "time", "of the step"], rows)
      + "<p class=\"aside\">\(escaped(profile.caption))</p>\n"
  }
}
