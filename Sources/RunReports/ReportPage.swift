import Charts
import Configuration
import Reporting

/// One page of HTML about one run or several, which needs nothing beside itself.
public struct ReportPage: Sendable {
  /// Of each run, in the order in which they were named, names told apart.
  let runs: [RecordedRun]
  /// What the weights of each run answer to the test images.
  let answers: [Answers]
  let program: String

  /// - Parameters:
  ///   - runs: at least one.
  ///   - answers: of each run.
  ///   - program: name and version.
  public init(_ runs: [RecordedRun], answers: [Answers], program: String) {
    precondition(!runs.isEmpty && runs.count == answers.count)
    self.runs = Self.namedApart(runs)
    self.answers = answers
    self.program = program
  }

  public var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
    <link rel="icon" href="data:,">
    <title>\(escaped(title)) – dtrain</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    \(header)\(sections.joined())</main>
    <footer>Written by \(escaped(program)). The page holds all that it shows; it asks for nothing from elsewhere.</footer>
    </body>
    </html>

    """
  }

  private var sections: [String] {
    [
      glance, section(runs.count == 1 ? "Changed settings" : "What differs", id: "differences", differences),
      section("Curves", id: "curves", curves),
      section("Ranks", id: "ranks", ranks), section("Time in a step", id: "time", times),
      section("Answers to the test images", id: "answers", answerParts),
      section("Settings", id: "settings", settingsTable), section("Do it again", id: "again", again),
    ]
  }

  private func section(_ title: String, id: String, _ content: String) -> String {
    content.isEmpty
      ? ""
      : "<section id=\"\(id)\" aria-labelledby=\"\(id)-title\">\n<h2 id=\"\(id)-title\">\(title)</h2>\n\(content)</section>\n"
  }

  private var title: String {
    runs.count == 1 ? runs[0].name : "\(runs.count) runs: \(runs.map(\.name).joined(separator: ", "))"
  }

  private var header: String {
    let summary = runs.count == 1 ? Self.summary(runs[0]) : "compared"
    var text =
      "<header>\n<p class=\"kicker\">dtrain report</p>\n<h1>\(escaped(title))</h1>\n<p class=\"lead\">\(escaped(summary))</p>\n"
    for run in runs {
      for remark in run.remarks {
        let subject = runs.count > 1 ? "<strong>\(escaped(run.name))</strong> " : ""
        text += "<p class=\"remark\" role=\"note\">\(subject)\(escaped(remark))</p>\n"
      }
    }
    return text + "</header>\n"
  }

  /// What was trained how, in a line.
  private static func summary(_ run: RecordedRun) -> String {
    let settings = run.settings
    var parts = ["\(settings.model.name.rawValue) on \(run.tests.last?.dataset ?? settings.dataset.name.rawValue)"]
    parts.append("\(settings.optimizer.name.rawValue), batch \(settings.training.batch)")
    let epochs = run.stepsPerEpoch.map { Double(run.lastStep) / Double($0) }
    let exact = epochs.map { $0.rounded() == $0 ? "\(Int($0))" : NumberText.fixed($0, decimals: 1) }
    parts.append(
      (exact.map { "\($0) epoch\($0 == "1" ? "" : "s"), " } ?? "") + "\(ValueText.grouped(run.lastStep)) steps")
    if let ranks = run.ranks.last { parts.append(ranksText(ranks)) }
    return parts.joined(separator: " · ")
  }

  static func ranksText(_ ranks: RecordedRun.Ranks) -> String {
    ranks.ranks + (ranks.threads > 1 ? ", \(ranks.threads) threads\(ranks.hosts.count > 1 ? " each" : "")" : "")
  }

  /// Runs of one name get their folders as names.
  private static func namedApart(_ runs: [RecordedRun]) -> [RecordedRun] {
    runs.map { run in
      guard runs.count(where: { $0.name == run.name }) > 1 else { return run }
      var run = run
      run.name = run.folder
      return run
    }
  }

  func escaped(_ text: String) -> String { SVGText.escaped(text) }

  /// A table whose first column names the rows; numbers lie right.
  func table(
    _ style: String, caption: String, _ titles: [String], _ rows: [[String]], rowStyle: (Int) -> String = { _ in "" }
  ) -> String {
    var text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"\(escaped(caption))\"><table class=\"\(style)\">\n<caption>\(escaped(caption))</caption>\n<thead><tr>"
    for title in titles { text += "<th scope=\"col\">\(escaped(title))</th>" }
    text += "</tr></thead>\n<tbody>\n"
    for (index, row) in rows.enumerated() {
      let style = rowStyle(index)
      text += style.isEmpty ? "<tr>" : "<tr class=\"\(style)\">"
      for (column, cell) in row.enumerated() {
        text += column == 0 ? "<th scope=\"row\">\(cell)</th>" : "<td>\(cell)</td>"
      }
      text += "</tr>\n"
    }
    return text + "</tbody></table></div>\n"
  }
}
