import Kernels

/// The exponential moving average of the weights over the steps. Polyak and Juditsky (1992); with the rising decay of
/// TensorFlow's `ExponentialMovingAverage`, so that the initial weights are soon forgotten.
///
/// a += (1 − d)(w − a) with d = min(decay, (1 + t) / (10 + t)) after step t; a begins as the initial weights.
public final class WeightAverage {
  /// The average, [count].
  public let state: OptimizerState
  private let decay: Double
  private let count: Int

  /// - Parameters:
  ///   - decay: in [0, 1).
  ///   - count: of the parameters, rounded up to a multiple of 8.
  public init(decay: Double, count: Int) {
    self.decay = decay
    self.count = count
    state = OptimizerState(name: "average", count: count)
  }

  deinit { state.deallocate() }

  /// Begins with these weights.
  public func start(from parameters: UnsafePointer<Float>) { state.values.update(from: parameters, count: count) }

  /// Takes in the weights that a step has left.
  public func update(step: Int, from parameters: UnsafePointer<Float>) {
    let kept = min(decay, (1 + Double(step)) / (10 + Double(step)))
    averageUpdate(rate: Float(1 - kept), count: count, values: parameters, average: state.values)
  }

  /// Exchanges the average and the weights; twice leaves both as they were.
  public func exchange(with parameters: UnsafeMutablePointer<Float>) {
    for index in 0..<count { swap(&state.values[index], &parameters[index]) }
  }
}
