import Kernels

/// What a step does with its mean gradient: clips it, moves the parameters at the step's learning rate, and averages
/// them. The same on every rank, from the same values; or on each rank a slice of it.
public final class ParameterUpdate {
  public let optimizer: any Optimizer
  public let learningRate: LearningRateSchedule
  /// The average of the weights, if one is kept.
  public let average: WeightAverage?
  /// Of the parameters, those that this updates.
  public let slice: Range<Int>
  private let clipNorm: Double
  private let stepsPerEpoch: Int
  private let count: Int

  /// - Parameters:
  ///   - clipNorm: the largest norm that a gradient may have; 0 for any.
  ///   - averageDecay: of the weights' average; 0 for none.
  ///   - count: of the parameters.
  ///   - paddedCount: the same, rounded up to a multiple of 8.
  ///   - slice: those that this updates, of which the optimizer was made for as many; nil for all.
  public init(
    optimizer: any Optimizer, learningRate: LearningRateSchedule, stepsPerEpoch: Int, clipNorm: Double,
    averageDecay: Double, count: Int, paddedCount: Int, slice: Range<Int>? = nil
  ) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.stepsPerEpoch = stepsPerEpoch
    self.clipNorm = clipNorm
    self.count = count
    self.slice = slice ?? 0..<paddedCount
    average = averageDecay > 0 ? WeightAverage(decay: averageDecay, count: self.slice.count) : nil
  }

  /// All that has to be kept from step to step beside the parameters.
  public var states: [OptimizerState] { optimizer.states + (average.map { [$0.state] } ?? []) }

  public func rate(ofStep step: Int) -> Double { learningRate.rate(ofStep: step, stepsPerEpoch: stepsPerEpoch) }

  /// Whether a step's gradient has to have a norm.
  public var clips: Bool { clipNorm > 0 }

  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - parameters: [count], of which the slice is updated.
  ///   - gradients: [count], the mean over the global batch, of which the slice is read.
  ///   - squaredGradientNorm: of all gradients, where this has a slice of them; nil to have it computed.
  public func apply(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    squaredGradientNorm: Double? = nil
  ) {
    let scale = clips ? clippingFactor(squaredGradientNorm ?? squaredNorm(count: count, gradients)) : 1
    optimizer.update(
      step: step, parameters: parameters + slice.lowerBound, gradients: gradients + slice.lowerBound,
      learningRate: rate(ofStep: step), gradientScale: scale)
    average?.update(step: step, from: parameters + slice.lowerBound)
  }

  /// Begins the average, if one is kept, with these weights, [count].
  public func startAverage(from parameters: UnsafePointer<Float>) {
    average?.start(from: parameters + slice.lowerBound)
  }

  /// Exchanges the slice of the average, if one is kept, and of these weights, [count]; twice leaves both as they were.
  public func exchangeAverage(with parameters: UnsafeMutablePointer<Float>) {
    average?.exchange(with: parameters + slice.lowerBound)
  }

  /// Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), algorithm 1, with the
  /// norm over all parameters.
  private func clippingFactor(_ squaredNorm: Double) -> Float {
    let norm = squaredNorm.squareRoot()
    return norm > clipNorm ? Float(clipNorm / norm) : 1
  }
}
