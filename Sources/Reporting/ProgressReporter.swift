/// How a run says how far it is.
public enum ProgressMode: String, CaseIterable, Sendable {
  /// `line` on a terminal, `plain` elsewhere.
  case auto
  /// One line that is rewritten.
  case line
  /// A line every few seconds.
  case plain
  case none
}

/// Says how far a run is, at a pace that a person can read, and prints its other lines in between.
///
/// Times are seconds on one monotonic clock, given by the caller. To be used by one thread.
public final class ProgressReporter {
  private enum Style {
    /// On a terminal; of 80 columns where none is known.
    case line(Screen?, Terminal)
    case plain
    case none
  }

  private static let refreshSeconds = 0.1
  private static let plainSeconds = 5.0...60.0
  /// Samples over which the loss and accuracy that are shown are means.
  private static let recentSamples = 5000.0

  private let output: TextOutput
  private let style: Style
  private var progress: RunProgress
  private var rate = RateMeter()
  private var loss = RecentMean(horizon: recentSamples)
  private var correct = RecentMean(horizon: recentSamples)
  private var firstTime: Double?
  private var nextTime = -Double.infinity
  private var imagesLeft: Int
  private var evaluationSeconds = 0.0
  private var evaluationsLeft: Int
  private var isLineOpen = false

  /// - Parameters:
  ///   - images: how many the whole run will see, a sample of each epoch counted each time.
  ///   - evaluations: how many times the run will be interrupted by an evaluation.
  public init(
    output: TextOutput, mode: ProgressMode, epochs: Int, steps: Int, images: Int,
    evaluations: Int, environment: (String) -> String? = environmentVariable
  ) {
    self.output = output
    let screen = Screen(behind: output.descriptor, environment: environment)
    switch mode {
    // A line that is rewritten is none for a program.
    case .auto where output.format == .json, .line where output.format == .json: style = .plain
    case .auto: style = screen.map { .line($0, $0.terminal) } ?? .plain
    case .line: style = .line(screen, Terminal(columns: 0, environment: environment))
    case .plain: style = .plain
    case .none: style = .none
    }
    progress = RunProgress(epoch: 1, epochs: epochs, step: 0, steps: steps)
    imagesLeft = images
    evaluationsLeft = evaluations
  }

  /// Training begins, or goes on after an evaluation.
  public func start(at now: Double) {
    rate.start(at: now)
    if firstTime == nil { firstTime = now }
  }

  /// A step is done.
  ///
  /// - Parameters:
  ///   - epoch: from 1.
  ///   - step: steps done in the whole run.
  ///   - lossSum: the sum of its samples' losses.
  public func stepDone(epoch: Int, step: Int, samples: Int, lossSum: Double, correct: Int, at now: Double) {
    progress.epoch = epoch
    progress.step = step
    imagesLeft -= samples
    rate.add(samples, at: now)
    loss.add(sum: lossSum, samples: samples)
    self.correct.add(sum: Double(correct), samples: samples)
    guard now >= nextTime else { return }
    switch style {
    case .none: return
    case .line(let screen, let terminal):
      nextTime = now + Self.refreshSeconds
      output.write("\r" + ProgressLine.text(current(), terminal: screen?.current ?? terminal) + "\u{1B}[K")
      isLineOpen = true
    case .plain:
      let elapsed = now - (firstTime ?? now)
      nextTime = now + min(Self.plainSeconds.upperBound, max(Self.plainSeconds.lowerBound, elapsed / 20))
      output.writeLine(ProgressLine.plain(current()))
    }
  }

  /// An evaluation that interrupted training is done.
  public func evaluationDone(seconds: Double) {
    evaluationSeconds = seconds
    evaluationsLeft -= 1
  }

  /// Prints a line of its own, in place of the line that is rewritten.
  public func writeLine(_ text: String) {
    clear()
    output.writeLine(text)
  }

  /// Takes the line that is rewritten off the terminal, before others write to it.
  public func clear() {
    guard isLineOpen else { return }
    output.write("\r\u{1B}[K")
    isLineOpen = false
    nextTime = -Double.infinity
  }

  private func current() -> RunProgress {
    var current = progress
    current.loss = loss.value
    current.accuracy = correct.value
    current.imagesPerSecond = rate.imagesPerSecond
    current.secondsLeft = rate.imagesPerSecond.map {
      Double(imagesLeft) / $0 + Double(evaluationsLeft) * evaluationSeconds
    }
    return current
  }
}
