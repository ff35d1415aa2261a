import Reporting

/// How good the answers of a classifier are: by class, confused with what, and whether its confidence can be believed.
///
/// Computed from all samples in their order, so it is the same at any number of ranks.
public struct ClassificationReport: Equatable, Sendable {
  /// One class against all others.
  public struct Class: Equatable, Sendable {
    /// Samples of the class.
    public let samples: Int
    /// Samples that were answered with it.
    public let answers: Int
    /// Samples of both.
    public let hits: Int

    /// The share of its answers that are right; nil without any.
    public var precision: Double? { answers > 0 ? Double(hits) / Double(answers) : nil }
    /// The share of its samples that were found; nil without any.
    public var recall: Double? { samples > 0 ? Double(hits) / Double(samples) : nil }
  }

  /// Samples whose confidence lies in one part of [0, 1].
  public struct CalibrationBin: Equatable, Sendable {
    public var samples = 0
    public var hits = 0
    public var confidenceSum = 0.0
  }

  public static let binCount = 15
  public let samples: Int
  /// confusion[truth][answer].
  public let confusion: [[Int]]
  /// The k of top-k.
  public let topCount: Int
  /// Samples whose right class is among the k with the largest scores.
  public let topHits: Int
  /// By confidence: bin i holds (i / 15, (i + 1) / 15].
  public let bins: [CalibrationBin]

  public init(_ predictions: Predictions, topCount: Int) {
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: predictions.classes), count: predictions.classes)
    var bins = [CalibrationBin](repeating: CalibrationBin(), count: Self.binCount)
    var topHits = 0
    for (sample, label) in predictions.labels.enumerated() {
      let answer = predictions.answer(of: sample)
      confusion[label][answer.label] += 1
      if predictions.rankOfTruth(of: sample) < topCount { topHits += 1 }
      let bin = Int((answer.confidence * Double(Self.binCount)).rounded(.up)) - 1
      bins[min(max(bin, 0), Self.binCount - 1)].samples += 1
      bins[min(max(bin, 0), Self.binCount - 1)].confidenceSum += answer.confidence
      if answer.label == label { bins[min(max(bin, 0), Self.binCount - 1)].hits += 1 }
    }
    samples = predictions.labels.count
    self.confusion = confusion
    self.topCount = topCount
    self.topHits = topHits
    self.bins = bins
  }

  public var classes: [Class] {
    confusion.indices.map { index in
      Class(
        samples: confusion[index].reduce(0, +), answers: confusion.reduce(0) { $0 + $1[index] },
        hits: confusion[index][index])
    }
  }

  public var hits: Int { confusion.indices.reduce(0) { $0 + confusion[$1][$1] } }

  /// Expected calibration error: the difference between confidence and accuracy, averaged over the samples by bins.
  ///
  /// Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning" (AAAI 2015).
  public var calibrationError: Double {
    bins.reduce(0) { $0 + ($1.confidenceSum - Double($1.hits)).magnitude } / Double(max(1, samples))
  }

  public var topAccuracy: Double { Double(topHits) / Double(max(1, samples)) }
}

// MARK: - For a person, and for a program

extension ClassificationReport {
  /// More classes than these have no table on a terminal.
  private static let largestTable = 20

  public var lines: [String] {
    var lines = [
      "top-\(topCount) accuracy \(NumberText.fixed(topAccuracy, decimals: 4)) "
        + "(\(samples - topHits) of \(samples) not among the first \(topCount))",
      "calibration error \(NumberText.fixed(calibrationError, decimals: 4)) (\(Self.binCount) bins of confidence)",
    ]
    guard classes.count <= Self.largestTable else {
      return lines + ["(\(classes.count) classes: by class in the file of --json)"]
    }
    var table = TextTable([.right, .right, .right, .right])
    table.add(["class", "samples", "precision", "recall"])
    for (index, row) in classes.enumerated() {
      table.add(["\(index)", "\(row.samples)", Self.share(row.precision), Self.share(row.recall)])
    }
    lines += [""] + table.lines
    var matrix = TextTable([.left] + confusion.map { _ in .right })
    matrix.add(["truth \\ answer"] + confusion.indices.map { "\($0)" })
    for (truth, row) in confusion.enumerated() {
      // What is on the diagonal is right; zeros off it would hide the errors.
      matrix.add(["\(truth)"] + row.enumerated().map { $1 == 0 && $0 != truth ? "." : "\($1)" })
    }
    return lines + [""] + matrix.lines
  }

  private static func share(_ value: Double?) -> String { value.map { NumberText.fixed($0, decimals: 4) } ?? "-" }

  /// Members of a JSON object, accuracy and loss left to the caller.
  public var members: [JSONValue.Member] {
    func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
    return [
      .init("top_k", .integer(topCount)), .init("top_k_accuracy", .number(topAccuracy)),
      .init("calibration_error", .number(calibrationError)),
      .init(
        "classes",
        .array(
          classes.enumerated().map { index, row in
            .object([
              .init("class", .integer(index)), .init("samples", .integer(row.samples)),
              .init("answers", .integer(row.answers)), .init("hits", .integer(row.hits)),
              .init("precision", number(row.precision)), .init("recall", number(row.recall)),
            ])
          })),
      .init("confusion", .array(confusion.map { .array($0.map { .integer($0) }) })),
      .init(
        "calibration",
        .array(
          bins.map { bin in
            .object([
              .init("samples", .integer(bin.samples)), .init("hits", .integer(bin.hits)),
              .init("confidence", number(bin.samples > 0 ? bin.confidenceSum / Double(bin.samples) : nil)),
            ])
          })),
    ]
  }
}
