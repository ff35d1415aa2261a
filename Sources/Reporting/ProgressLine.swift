/// A moment of a run.
public struct RunProgress: Equatable, Sendable {
  /// From 1.
  public var epoch: Int
  public var epochs: Int
  /// Steps done, and steps in the whole run.
  public var step: Int
  public var steps: Int
  /// Over the recent samples; nil before the first.
  public var loss: Double?
  public var accuracy: Double?
  public var imagesPerSecond: Double?
  public var secondsLeft: Double?

  public init(
    epoch: Int, epochs: Int, step: Int, steps: Int, loss: Double? = nil, accuracy: Double? = nil,
    imagesPerSecond: Double? = nil, secondsLeft: Double? = nil
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.loss = loss
    self.accuracy = accuracy
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }
}

/// The line that says how far a run is, as long as there is room for.
public enum ProgressLine {
  private static let barColumns = 10...40

  /// The line for a log: everything, without a bar.
  public static func plain(_ progress: RunProgress) -> String {
    joined(fields(progress, .full))
  }

  /// The line for a terminal: one column narrower than it, so that no terminal breaks it.
  ///
  /// With less room the words get shorter, then the bar goes, then the speed, the accuracy, the epoch, the time and the
  /// loss; the step stays.
  public static func text(_ progress: RunProgress, terminal: Terminal) -> String {
    let room = terminal.columns - 1
    for wording in [Wording.full, .medium] {
      let fields = fields(progress, wording)
      let bar = min(barColumns.upperBound, room - joined(fields).count - 2)
      guard bar >= barColumns.lowerBound else { continue }
      return joined([fields[0], self.bar(progress, columns: bar, terminal: terminal)] + fields[1...])
    }
    for wording in [Wording.medium, .short] {
      let line = joined(fields(progress, wording))
      if line.count <= room { return line }
    }
    var dropped: [Field] = []
    for field in [Field.speed, .accuracy, .epoch, .time, .loss] {
      dropped.append(field)
      let line = joined(fields(progress, .short, without: dropped))
      if line.count <= room { return line }
    }
    return String(joined(fields(progress, .short, without: dropped)).prefix(max(0, room)))
  }

  private enum Wording {
    case full
    case medium
    case short
  }

  private enum Field: CaseIterable {
    case epoch
    case step
    case loss
    case accuracy
    case speed
    case time
  }

  private static func joined(_ fields: [String]) -> String { fields.joined(separator: "  ") }

  private static func fields(_ progress: RunProgress, _ wording: Wording, without dropped: [Field] = []) -> [String] {
    Field.allCases.compactMap { dropped.contains($0) ? nil : text($0, progress, wording) }
  }

  private static func text(_ field: Field, _ progress: RunProgress, _ wording: Wording) -> String? {
    switch field {
    case .epoch: (wording == .short ? "" : "epoch ") + "\(progress.epoch)/\(progress.epochs)"
    case .step: (wording == .full ? "step " : "") + "\(progress.step)/\(progress.steps)"
    case .loss: progress.loss.map { "loss " + NumberText.loss($0) }
    case .accuracy:
      progress.accuracy.map { (wording == .full ? "accuracy " : "acc ") + NumberText.fixed($0, decimals: 4) }
    case .speed:
      progress.imagesPerSecond.map {
        NumberText.fixed($0, decimals: $0 < 10 ? 1 : 0) + (wording == .full ? " images/s" : "/s")
      }
    case .time:
      progress.secondsLeft.map { NumberText.duration($0) + (wording == .short ? "" : " left") }
    }
  }

  private static func bar(_ progress: RunProgress, columns: Int, terminal: Terminal) -> String {
    let share = progress.steps > 0 ? Double(progress.step) / Double(progress.steps) : 0
    let done = min(columns, max(0, Int(share * Double(columns))))
    let marks = terminal.hasUnicode ? ("━", "─") : ("=", "-")
    let filled = String(repeating: marks.0, count: done)
    let empty = String(repeating: marks.1, count: columns - done)
    return terminal.hasColor ? "\u{1B}[36m\(filled)\u{1B}[39;2m\(empty)\u{1B}[22m" : filled + empty
  }
}
