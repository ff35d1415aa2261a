import Communication
import Configuration
import Failures
import Reporting

/// Where the time of a training step goes, part by part.
public struct StepProfile: Equatable, Sendable {
  /// A layer, or something else that a step does.
  public struct Part: Equatable, Sendable {
    public let name: String
    /// The layer's output shape, or a few words.
    public let detail: String
    /// Seconds of a step: the mean over all computing threads.
    public var forward = 0.0
    public var backward = 0.0
    /// What is neither.
    public var other = 0.0

    public var seconds: Double { forward + backward + other }
  }

  public var subject: BenchmarkReport.Subject
  /// Seconds of a step, and images in it.
  public var stepSeconds: Double
  public var imagesPerStep: Double
  /// In the order of the network. Together they make up the step.
  public var parts: [Part]

  /// Measures steps in three rounds, of which the fastest counts: what `dtrain profile` does on each rank.
  ///
  /// - Parameters:
  ///   - program: name and version.
  ///   - seconds: of each round.
  /// - Returns: the profile on rank 0, nil on the others.
  public static func measure(
    _ settings: Settings, program: String, secondsPerRound seconds: Double, on communicator: any Communicator
  ) throws(Failure) -> StepProfile? {
    let subject = try BenchmarkSubject(settings: settings, program: program, communicator: communicator)
    let threads = try communicator.allGather(
      [Double(subject.threads)], phase: Phase("gathering of the measurements"))
    let description = subject.description(
      program: program, threads: Int(threads.reduce(0) { $0 + $1[0] }), secondsPerRound: seconds)
    let steps = try communicator.repetitions(toTake: seconds) { (times) throws(Failure) in
      try subject.train(steps: times).seconds
    }
    var best: StepProfile?
    for _ in 0..<3 {
      let round = try subject.trainInStages(steps: steps)
      if let best, best.stepSeconds <= round.totals.wholeSeconds / Double(steps) { continue }
      best = StepProfile(
        description, round.totals, layers: LayerFigures.list(subject.network), steps: steps, images: round.images)
    }
    return communicator.rank == 0 ? best : nil
  }

  init(
    _ subject: BenchmarkReport.Subject, _ totals: StageTotals, layers: [LayerFigures], steps: Int, images: Int
  ) {
    self.subject = subject
    let steps = Double(steps)
    let ofThread = 1 / (steps * Double(subject.threads))
    stepSeconds = totals.wholeSeconds / steps
    imagesPerStep = Double(images) / steps
    parts = [Part(name: "reading images", detail: "", other: totals.loading * ofThread)]
    parts += layers.enumerated().map { index, layer in
      Part(
        name: layer.name, detail: layer.outputShape, forward: totals.forward(index) * ofThread,
        backward: totals.backward(index) * ofThread)
    }
    parts.append(Part(name: "softmax and loss", detail: "", other: totals.loss * ofThread))
    let finishing = totals.seconds(.addition) + totals.seconds(.finishing)
    parts.append(Part(name: "adding gradients", detail: "", other: finishing / steps))
    if subject.ranks > 1 {
      let exchange = totals.seconds(.scattering) + totals.seconds(.gathering)
      parts.append(Part(name: "exchange", detail: "and waiting", other: exchange / steps))
    }
    parts.append(Part(name: "Adam", detail: "", other: totals.seconds(.update) / steps))
    parts.append(Part(name: "weights for kernels", detail: "", other: totals.seconds(.preparation) / steps))
    let rest = stepSeconds - parts.reduce(0) { $0 + $1.seconds }
    parts.append(
      Part(name: "the rest", detail: subject.threads > subject.ranks ? "threads waiting" : "", other: max(0, rest)))
  }

  public var forwardShare: Double { parts.reduce(0) { $0 + $1.forward } / stepSeconds }
  public var backwardShare: Double { parts.reduce(0) { $0 + $1.backward } / stepSeconds }
  public var otherShare: Double { parts.reduce(0) { $0 + $1.other } / stepSeconds }
  public var imagesPerSecond: Double { imagesPerStep / stepSeconds }

  /// What was measured, in a line.
  var caption: String {
    let threads = subject.threads > subject.ranks ? ", \(subject.threads) threads" : ""
    return "\(subject.program)  ·  \(subject.communicator)\(threads)  ·  batch \(subject.batch), microbatches of "
      + "\(subject.microbatch)  ·  \(subject.dataset)  ·  \(subject.processor)"
  }

  /// A line of what was measured, and a table of the parts.
  public var lines: [String] {
    var table = TextTable([.left, .left, .right, .right, .right, .right, .right])
    table.add(["part", "output", "forward ms", "backward ms", "other ms", "all ms", "share"])
    func add(_ name: String, _ detail: String, _ times: [Double]) {
      let all = times.reduce(0, +)
      table.add(
        [name, detail] + times.map { $0 > 0 ? NumberText.fixed($0 * 1e3, decimals: 3) : "" } + [
          NumberText.fixed(all * 1e3, decimals: 3), Self.percent(all / stepSeconds),
        ])
    }
    for part in parts { add(part.name, part.detail, [part.forward, part.backward, part.other]) }
    add("all", "", [forwardShare, backwardShare, otherShare].map { $0 * stepSeconds })
    return [caption, "\(summary); times are those of a step", ""] + table.lines
  }

  var summary: String {
    "\(NumberText.fixed(stepSeconds * 1e3, decimals: 1)) ms a step, "
      + "\(NumberText.fixed(imagesPerSecond, decimals: 0)) images/s"
  }

  static func percent(_ share: Double) -> String { "\(NumberText.fixed(share * 100, decimals: 1)) %" }
}
