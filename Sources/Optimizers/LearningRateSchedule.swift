import Arithmetic

/// The learning rate as a function of the step alone.
public struct LearningRateSchedule: Equatable, Sendable {
  public enum Shape: Equatable, Sendable {
    case constant
    /// Times `factor` at the end of every so many epochs.
    case step(factor: Double, everyEpochs: Int)
    /// Half a cosine from the peak to its share `end`. Loshchilov and Hutter, "SGDR" (2017), equation 5, once.
    case cosine(end: Double)
    /// A straight line from the peak to its share `end`.
    case linear(end: Double)
  }

  /// The rate behind the warm-up.
  public var peak = 0.001
  public var shape = Shape.constant
  /// The rate rises in a straight line from 0 over so many epochs and so many steps, to which the peak comes.
  public var warmupEpochs = 0
  public var warmupSteps = 0
  /// After so many epochs a cosine or a line is at its end, and stays there.
  public var epochs = 20

  public init() {}

  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - stepsPerEpoch: at least 1.
  public func rate(ofStep step: Int, stepsPerEpoch: Int) -> Double {
    let warmup = warmupSteps + warmupEpochs * stepsPerEpoch
    guard step > warmup else { return peak * (Double(step) / Double(warmup)) }
    let done = Double(step - 1 - warmup)
    let progress = min(1, done / Double(max(1, epochs * stepsPerEpoch - warmup)))
    switch shape {
    case .constant: return peak
    case .step(let factor, let everyEpochs):
      return peak * ElementaryFunctions.power(factor, (step - 1) / (everyEpochs * stepsPerEpoch))
    case .cosine(let end):
      return peak * (end + (1 - end) * 0.5 * (1 + ElementaryFunctions.cosine(Double.pi * progress)))
    case .linear(let end): return peak * (1 - (1 - end) * progress)
    }
  }
}
