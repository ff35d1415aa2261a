import Charts
import Reporting

extension ReportPage {
  /// What is confused with what, and the images that were taken for others.
  var answerParts: String {
    var text = ""
    for (run, answers) in zip(runs, answers) {
      let part = part(run, answers)
      if runs.count == 1 {
        text += part
      } else {
        let errors = answers.absence == nil ? ": \(ValueText.grouped(answers.errors)) errors" : ""
        text += "<details><summary>\(escaped(run.name))\(errors)</summary>\n\(part)</details>\n"
      }
    }
    return text
  }

  private func part(_ run: RecordedRun, _ answers: Answers) -> String {
    if let absence = answers.absence {
      return "<p>\(escaped(absence)) <code>dtrain report --data DIR</code> looks for the images elsewhere.</p>\n"
    }
    var text =
      "<p>\(ValueText.grouped(answers.errors)) errors of \(ValueText.grouped(answers.samples)) "
      + "(\(ValueText.percent(1 - Double(answers.errors) / Double(max(1, answers.samples)))) right), found out for this "
      + "report from \(weightsText(run)) and \(escaped(answers.origin)).\(disagreement(run, answers))</p>\n"
    let pairs = confusedPairs(answers)
    if !pairs.isEmpty {
      text +=
        "<p>Most often: \(pairs.map { "\($0.truth) taken for \($0.answer) (\($0.count))" }.joined(separator: ", ")).</p>\n"
    }
    return text + matrix(answers) + wrongAnswers(answers)
  }

  private func weightsText(_ run: RecordedRun) -> String {
    guard let weights = run.weights else { return "" }
    return weights.isFinal ? "the final weights" : "the checkpoint of step \(ValueText.grouped(weights.step ?? 0))"
  }

  /// Where the run itself found something else with these weights, the data are others.
  private func disagreement(_ run: RecordedRun, _ answers: Answers) -> String {
    guard let test = run.tests.last(where: { $0.step == run.weights?.step }),
      test.errors != answers.errors || test.samples != answers.samples
    else { return "" }
    return " <strong>The run itself counted \(ValueText.grouped(test.errors)) errors of "
      + "\(ValueText.grouped(test.samples)): these are other images.</strong>"
  }

  private func confusedPairs(_ answers: Answers) -> [(truth: Int, answer: Int, count: Int)] {
    answers.confusion.enumerated().flatMap { truth, row in
      row.enumerated().filter { $0.offset != truth && $0.element > 0 }.map { (truth, $0.offset, $0.element) }
    }.sorted { ($0.2, $1.0, $1.1) > ($1.2, $0.0, $0.1) }.prefix(5).map { (truth: $0.0, answer: $0.1, count: $0.2) }
  }

  private func matrix(_ answers: Answers) -> String {
    let classes = answers.confusion.count
    guard classes <= 40 else { return "" }
    let most =
      answers.confusion.enumerated().flatMap { truth, row in
        row.enumerated().filter { $0.offset != truth }.map(\.element)
      }.max() ?? 0
    let caption = "Truth (rows) and answers (columns)"
    var text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"\(caption)\"><table class=\"matrix\">\n"
      + "<caption>\(caption)</caption>\n<thead><tr><th scope=\"col\"><span class=\"unseen\">truth</span></th>"
    for answer in 0..<classes { text += "<th scope=\"col\">\(answer)</th>" }
    text += "<th scope=\"col\">found</th></tr></thead>\n<tbody>\n"
    for (truth, row) in answers.confusion.enumerated() {
      text += "<tr><th scope=\"row\">\(truth)</th>"
      for (answer, count) in row.enumerated() {
        if answer == truth {
          text += "<td class=\"right\">\(count)</td>"
        } else if count == 0 {
          text += "<td class=\"none\">·</td>"
        } else {
          // Shades of the square root, so that single errors are seen beside many.
          let shade = NumberText.fixed(0.15 + 0.7 * (Double(count) / Double(most)).squareRoot(), decimals: 2)
          text += "<td class=\"wrong\" style=\"--shade:\(shade)\" title=\"\(truth) taken for \(answer)\">\(count)</td>"
        }
      }
      let samples = row.reduce(0, +)
      text +=
        "<td class=\"share\">\(samples > 0 ? ValueText.percent(Double(row[truth]) / Double(samples), decimals: 1) : "–")</td></tr>\n"
    }
    return text + "</tbody></table></div>\n"
  }

  private func wrongAnswers(_ answers: Answers) -> String {
    guard !answers.wrong.isEmpty else { return "" }
    let limit =
      answers.errors > answers.wrong.count
      ? "the \(answers.wrong.count) surest of \(answers.errors)" : "the surest first"
    var text = "<h3>Wrong answers, \(limit)</h3>\n<ul class=\"wrongs\">\n"
    for wrong in answers.wrong {
      let sure = ValueText.percent(wrong.confidence, decimals: 0)
      text +=
        "<li><img src=\"data:image/png;base64,\(Base64.text(wrong.picture))\" width=\"56\" height=\"56\" "
        + "alt=\"Test image \(wrong.sample): a \(wrong.truth), taken for a \(wrong.answer), \(sure) sure\">"
        + "<span aria-hidden=\"true\"><b>\(wrong.truth)</b> → <b>\(wrong.answer)</b><small>\(sure)</small></span></li>\n"
    }
    return text + "</ul>\n"
  }
}
