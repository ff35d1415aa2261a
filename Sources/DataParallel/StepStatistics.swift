/// What the ranks have to know of a step beside the mean gradient. It travels in the gradient's message.
public struct StepStatistics: Equatable, Sendable {
  /// The sum of the samples' losses, added in the order of the gradient tree.
  public var lossSum: Double
  /// How many samples were classified correctly.
  public var correct: Int
  /// How many samples there were. The gradient's sum is divided by it.
  public var samples: Int
  /// How many microbatches had a loss that is infinite or not a number.
  public var nonFinite: Int
  /// How many leaves carried the wish to stop after this step.
  public var stopRequests: Int

  public init(lossSum: Double = 0, correct: Int = 0, samples: Int = 0, nonFinite: Int = 0, stopRequests: Int = 0) {
    self.lossSum = lossSum
    self.correct = correct
    self.samples = samples
    self.nonFinite = nonFinite
    self.stopRequests = stopRequests
  }

  /// The mean loss of the samples; not a number where there are none.
  public var meanLoss: Double { lossSum / Double(samples) }
}

/// The statistics as they are stored behind the floats of a gradient: eight doubles, so that counts are exact up to
/// 2^53 and a node of the tree is a plain sum. Two are spare; in memory that ranks share, the last is a mark of theirs.
enum Trailer {
  /// Where a root has its largest magnitude, if anybody asks for it: no number of a sum of roots is larger than the sum of
  /// theirs.
  static let magnitude = 5
  static let count = 8
  /// How many of them are copied from memory that ranks share: all but the last, which stays 0 in a rank's own.
  static let shownCount = 7
  static let byteCount = count * MemoryLayout<Double>.stride

  static func read(_ trailer: UnsafePointer<Double>) -> StepStatistics {
    StepStatistics(
      lossSum: trailer[0], correct: integer(trailer[1]), samples: integer(trailer[2]),
      nonFinite: integer(trailer[3]), stopRequests: integer(trailer[4]))
  }

  static func write(_ statistics: StepStatistics, _ trailer: UnsafeMutablePointer<Double>) {
    clear(trailer)
    trailer[0] = statistics.lossSum
    trailer[1] = Double(statistics.correct)
    trailer[2] = Double(statistics.samples)
    trailer[3] = Double(statistics.nonFinite)
    trailer[4] = Double(statistics.stopRequests)
  }

  static func clear(_ trailer: UnsafeMutablePointer<Double>) {
    trailer.update(repeating: 0, count: count)
  }

  static func add(_ right: UnsafePointer<Double>, into left: UnsafeMutablePointer<Double>) {
    for index in 0..<count { left[index] += right[index] }
  }

  /// Bytes from another rank may be anything.
  private static func integer(_ value: Double) -> Int { Int(exactly: value) ?? 0 }
}
