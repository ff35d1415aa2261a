import Charts
import Configuration
import Reporting

extension ReportPage {
  /// The figures that a person looks for first: cards of one run, a table of several.
  var glance: String { runs.count == 1 ? cards(runs[0]) : comparison }

  private func cards(_ run: RecordedRun) -> String {
    var cards: [(name: String, value: String, detail: String)] = []
    if let last = run.tests.last {
      cards.append(("Test accuracy", ValueText.percent(last.accuracy), errors(last)))
      if let best = run.best, run.tests.count > 1 {
        cards.append(("Best test", ValueText.percent(best.accuracy), "\(errors(best)), epoch \(best.epoch)"))
      }
      cards.append(("Test loss", NumberText.loss(last.loss), "nats, after step \(ValueText.grouped(last.step))"))
    }
    if let rate = run.medianImagesPerSecond {
      cards.append(("Speed", ValueText.grouped(rate), "images/s, median over the steps"))
    }
    if run.seconds > 0 { cards.append(("Time", NumberText.duration(run.seconds), "training and tests")) }
    var text = "<section id=\"glance\" aria-label=\"At a glance\">\n<dl class=\"cards\">\n"
    for card in cards {
      text +=
        "<div class=\"card\"><dt>\(card.name)</dt><dd><span class=\"figure\">\(card.value)</span> "
        + "<span class=\"detail\">\(escaped(card.detail))</span></dd></div>\n"
    }
    return text + "</dl>\n\(digest(run))</section>\n"
  }

  private func errors(_ test: RecordedRun.Test) -> String {
    "\(ValueText.grouped(test.errors)) errors of \(ValueText.grouped(test.samples))"
      + (test.dataset == "synthetic-digits" ? " drawn digits" : "")
  }

  private func digest(_ run: RecordedRun) -> String {
    guard let weights = run.weights else { return "" }
    let of = weights.isFinal ? "Weights digest" : "Weights digest of the newest checkpoint, step \(weights.step ?? 0)"
    return "<p class=\"digest\"><span>\(of)</span> <code>\(weights.digest)</code></p>\n"
  }

  private var comparison: String {
    let best = runs.compactMap { $0.tests.last?.accuracy }.max()
    let rows = runs.enumerated().map { index, run -> [String] in
      let last = run.tests.last
      let accuracy = last.map { ValueText.percent($0.accuracy) } ?? "–"
      let mark = last != nil && last?.accuracy == best ? "<strong>\(accuracy)</strong>" : accuracy
      return [
        "<span class=\"key s\(index)\" aria-hidden=\"true\"></span>\(escaped(run.name))", mark,
        last.map { ValueText.grouped($0.errors) } ?? "–",
        run.best.map { "\(ValueText.percent($0.accuracy)) <small>epoch \($0.epoch)</small>" } ?? "–",
        last.map { NumberText.loss($0.loss) } ?? "–", ValueText.grouped(run.lastStep),
        run.medianImagesPerSecond.map { ValueText.grouped($0) } ?? "–",
        run.seconds > 0 ? NumberText.duration(run.seconds) : "–",
        run.ranks.last.map { escaped(Self.ranksText($0)) } ?? "–", sameBits(index),
      ]
    }
    return "<section id=\"glance\" aria-label=\"At a glance\">\n"
      + table(
        "runs", caption: "The runs at a glance",
        ["run", "test accuracy", "errors", "best test", "test loss", "steps", "images/s", "time", "ranks", "weights"],
        rows)
      + "</section>\n"
  }

  /// Whether the weights are those of a run named before, to the last bit.
  private func sameBits(_ index: Int) -> String {
    guard let weights = runs[index].weights else { return "–" }
    let digits = "<code title=\"\(weights.digest)\">\(weights.digest.hexadecimal.prefix(8))…</code>"
    guard let twin = runs[..<index].first(where: { $0.weights?.digest == weights.digest }) else { return digits }
    return "\(digits) <small>the bits of \(escaped(twin.name))</small>"
  }

  /// The settings in which the runs differ; of one run, from the defaults.
  var differences: String {
    if runs.count == 1 {
      let changed = runs[0].settings.differences(from: Settings())
      guard !changed.isEmpty else { return "<p>All settings have their defaults.</p>\n" }
      return table(
        "settings", caption: "Settings that are not the defaults", ["setting", "here", "default"],
        changed.map { ["<code>\($0.key)</code>", escaped($0.value), escaped($0.otherValue)] })
    }
    let differing = SettingsCatalog.settings.filter { setting in
      Set(runs.map { setting.value(in: $0.settings) }).count > 1
    }
    guard !differing.isEmpty else { return "<p>The runs have the same settings.</p>\n" }
    return table(
      "settings", caption: "Settings in which the runs differ", ["setting"] + runs.map(\.name),
      differing.map { setting in
        ["<code>\(setting.key)</code>"] + runs.map { escaped(setting.value(in: $0.settings)) }
      })
  }

  /// All settings, each with what it means.
  var settingsTable: String {
    let defaults = Settings()
    let rows = SettingsCatalog.settings.map { setting -> [String] in
      ["<code>\(setting.key)</code><small>\(escaped(setting.documentation))</small>"]
        + runs.map { run in
          let value = setting.value(in: run.settings)
          let isDefault = value == setting.value(in: defaults)
          return isDefault
            ? escaped(value)
            : "<strong>\(escaped(value))</strong> <small>default \(escaped(setting.value(in: defaults)))</small>"
        }
    }
    return "<details><summary>All \(rows.count) settings, with what they mean</summary>\n"
      + table(
        "settings all", caption: "All settings", ["setting"] + runs.map { runs.count == 1 ? "value" : $0.name }, rows)
      + "</details>\n"
  }

  /// How the runs can be repeated, and their weights tested.
  var again: String {
    var text =
      "<p>The same settings end on the same weights, to the last bit, at any number of ranks. From the folder in "
      + "which this report was asked for:</p>\n"
    for run in runs {
      if runs.count > 1 { text += "<h3>\(escaped(run.name))</h3>\n" }
      let ranks = run.ranks.last?.hosts.count ?? 1
      let launcher = run.ranks.last?.ranks.contains("MPI") == true ? "mpirun -n \(ranks) " : ""
      var lines = ["\(launcher)\(run.command)"]
      if let weights = run.weights { lines.append("dtrain evaluate --weights \(ShellText.quoted(weights.path))") }
      text += "<pre tabindex=\"0\"><code>\(lines.map(escaped).joined(separator: "\n"))</code></pre>\n"
      if let weights = run.weights, runs.count > 1 {
        text += "<p class=\"digest\"><span>Weights digest</span> <code>\(weights.digest)</code></p>\n"
      }
    }
    return text
  }
}
