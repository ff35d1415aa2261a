import Kernels

/// What a step does with its mean gradient: clips it, moves the parameters at the step's learning rate, and averages
/// them. The same on every rank, from the same values.
public final class ParameterUpdate {
  public let optimizer: any Optimizer
  public let learningRate: LearningRateSchedule
  /// The average of the weights, if one is kept.
  public let average: WeightAverage?
  private let clipNorm: Double
  private let stepsPerEpoch: Int
  private let count: Int

  /// - Parameters:
  ///   - clipNorm: the largest norm that a gradient may have; 0 for any.
  ///   - averageDecay: of the weights' average; 0 for none.
  ///   - count: of the parameters.
  ///   - paddedCount: the same, rounded up to a multiple of 8.
  public init(
    optimizer: any Optimizer, learningRate: LearningRateSchedule, stepsPerEpoch: Int, clipNorm: Double,
    averageDecay: Double, count: Int, paddedCount: Int
  ) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.stepsPerEpoch = stepsPerEpoch
    self.clipNorm = clipNorm
    self.count = count
    average = averageDecay > 0 ? WeightAverage(decay: averageDecay, count: paddedCount) : nil
  }

  /// All that has to be kept from step to step beside the parameters.
  public var states: [OptimizerState] { optimizer.states + (average.map { [$0.state] } ?? []) }

  public func rate(ofStep step: Int) -> Double { learningRate.rate(ofStep: step, stepsPerEpoch: stepsPerEpoch) }

  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - parameters: [count], updated.
  ///   - gradients: [count], the mean over the global batch.
  public func apply(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>
  ) {
    optimizer.update(
      step: step, parameters: parameters, gradients: gradients, learningRate: rate(ofStep: step),
      gradientScale: clipNorm > 0 ? clippingFactor(gradients) : 1)
    average?.update(step: step, from: parameters)
  }

  /// Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), algorithm 1, with the
  /// norm over all parameters.
  private func clippingFactor(_ gradients: UnsafePointer<Float>) -> Float {
    let norm = squaredNorm(count: count, gradients).squareRoot()
    return norm > clipNorm ? Float(clipNorm / norm) : 1
  }
}
