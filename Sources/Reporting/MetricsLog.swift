import Failures

/// Writes `metrics.jsonl`: one JSON object a line, `"kind":"step"` after each step, `"kind":"test"` or
/// `"kind":"validation"` after each evaluation, and `"kind":"ranks"` after each epoch; and, beside it, the same as a table, `metrics.csv`.
///
/// Steps are kept as they are and become text every few seconds, so that a step allocates nothing.
public final class MetricsLog {
  private static let capacity = 4096
  private static let flushSeconds = 2.0

  private let lines: RecordFile
  private let table: RecordFile?
  private var pending: [StepMetrics] = []
  private var flushedAt = 0.0

  /// Creates the files, in place of what had their names, or goes on with them.
  ///
  /// - Parameters:
  ///   - table: the path of the table; nil for none.
  ///   - step: steps made so far. What the files have of them stays, and what comes behind is cut off: it will come
  ///     again, the test after this very step included.
  /// - Throws: a failure with `ExitCode.cannotCreate` or `ExitCode.inputOutput`.
  public init(path: String, table: String? = nil, goingOnAfter step: Int = 0) throws(Failure) {
    lines = try RecordFile(path: path, goingOnAfter: step, position: MetricsRecords.position(inJSON:))
    if let table {
      self.table = try RecordFile(
        path: table, goingOnAfter: step, heading: MetricsTable.heading, position: MetricsTable.position)
    } else {
      self.table = nil
    }
    pending.reserveCapacity(Self.capacity)
  }

  /// - Throws: a failure with `ExitCode.inputOutput` when what was kept cannot be written.
  public func append(_ step: StepMetrics) throws(Failure) {
    pending.append(step)
    if pending.count == Self.capacity || step.seconds - flushedAt >= Self.flushSeconds {
      flushedAt = step.seconds
      try flush()
    }
  }

  /// Writes the line at once, after all that was kept.
  public func append(_ test: TestMetrics) throws(Failure) {
    try flush()
    try lines.append(test.json.encoded + "\n")
    try table?.append(MetricsTable.row(test))
  }

  /// Writes the line at once, after all that was kept.
  public func append(_ ranks: RankMetrics) throws(Failure) {
    try flush()
    try lines.append(ranks.json.encoded + "\n")
    try table?.append(MetricsTable.rows(ranks))
  }

  /// Writes all that was kept. To be called at the end.
  public func flush() throws(Failure) {
    guard !pending.isEmpty else { return }
    var (text, rows) = ("", "")
    for step in pending {
      text += step.json.encoded + "\n"
      if table != nil { rows += MetricsTable.row(step) }
    }
    pending.removeAll(keepingCapacity: true)
    try lines.append(text)
    try table?.append(rows)
  }
}
