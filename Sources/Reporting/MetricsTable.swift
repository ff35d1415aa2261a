/// The metrics as comma-separated values (RFC 4180, lines end in a line feed): a row a step, an evaluation, and a rank of
/// an epoch, which `kind` tells apart. Columns that a kind does not have are empty.
enum MetricsTable {
  private static let columns = [
    "kind", "step", "epoch", "seconds", "loss", "accuracy", "learning_rate", "images_per_second", "dataset",
    "test_loss", "test_accuracy", "test_errors", "test_samples", "rank", "host", "steps", "step_seconds",
    "computation_seconds", "exchange_seconds", "validation_loss", "validation_accuracy", "validation_errors",
    "validation_samples",
  ]

  static let heading = columns.joined(separator: ",") + "\n"

  static func row(_ step: StepMetrics) -> String {
    row([
      "step", "\(step.step)", "\(step.epoch)", number(step.seconds), number(step.loss), number(step.accuracy),
      number(step.learningRate), number(step.imagesPerSecond),
    ])
  }

  static func row(_ test: TestMetrics) -> String {
    let figures = [number(test.loss), number(test.accuracy), "\(test.errors)", "\(test.samples)"]
    let start = [
      "\(test.kind)", "\(test.step)", "\(test.epoch)", number(test.seconds), "", "", "", "", quoted(test.dataset),
    ]
    return row(start + (test.kind == .test ? figures : Array(repeating: "", count: 10) + figures))
  }

  static func rows(_ ranks: RankMetrics) -> String {
    ranks.hosts.indices.map { rank in
      row(
        ["rank", "\(ranks.step)", "\(ranks.epoch)", number(ranks.seconds)] + Array(repeating: "", count: 9) + [
          "\(rank)", quoted(ranks.hosts[rank]), "\(ranks.steps)", number(ranks.stepSeconds[rank]),
          number(ranks.computationSeconds[rank]), number(ranks.exchangeSeconds[rank]),
        ])
    }.joined()
  }

  /// Where a whole row stands in a run; nil where the bytes are none.
  static func position(_ row: [UInt8]) -> RecordPosition? {
    guard row.last == UInt8(ascii: "\n"), row.count(where: { $0 == UInt8(ascii: ",") }) >= columns.count - 1 else {
      return nil
    }
    let fields = row.split(separator: UInt8(ascii: ","), maxSplits: 2)
    guard fields.count == 3, let step = Int(String(decoding: fields[1], as: UTF8.self)) else { return nil }
    switch String(decoding: fields[0], as: UTF8.self) {
    case "step": return RecordPosition(step: step, isOfStep: true)
    case "test", "validation", "rank": return RecordPosition(step: step, isOfStep: false)
    default: return nil
    }
  }

  private static func row(_ fields: [String]) -> String {
    (fields + Array(repeating: "", count: columns.count - fields.count)).joined(separator: ",") + "\n"
  }

  /// As few digits as give the same number again; empty for what is not finite.
  private static func number(_ value: Double) -> String { value.isFinite ? value.description : "" }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
