import Arithmetic
import Kernels

/// LAMB over a flat buffer: Adam whose step each tensor takes in proportion to its own norm, for large batches. You, Li,
/// Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh, "Large batch optimization for deep learning:
/// training BERT in 76 minutes" (2020), algorithm 2, with φ(z) = z.
///
/// r = m̂ / (√v̂ + ε) + λ w;  w −= rate · ‖w‖ / ‖r‖ · r, tensor by tensor. Where one of the norms is 0, as of a bias before
/// its first step, the ratio counts as 1.
public final class Lamb: Optimizer {
  public struct Settings: Sendable {
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-7
    /// λ.
    public var weightDecay = 0.0

    public init() {}
  }

  public let settings: Settings
  /// Running means of gradients and of their squares, [count].
  private let firstMoments: OptimizerState
  private let secondMoments: OptimizerState
  /// r, [count].
  private let direction: UnsafeMutablePointer<Float>
  private let tensors: [Range<Int>]
  private let count: Int

  /// - Parameters:
  ///   - tensors: where each tensor's floats lie in the buffer.
  ///   - count: of the parameters, rounded up to a multiple of 8: `ParameterStore.paddedCount`.
  public init(settings: Settings = Settings(), tensors: [Range<Int>], count: Int) {
    self.settings = settings
    self.tensors = tensors
    self.count = count
    firstMoments = OptimizerState(name: "first_moment", count: count)
    secondMoments = OptimizerState(name: "second_moment", count: count)
    direction = .allocate(capacity: count)
    direction.initialize(repeating: 0, count: count)
  }

  deinit {
    for state in states { state.deallocate() }
    direction.deallocate()
  }

  public var states: [OptimizerState] { [firstMoments, secondMoments] }

  public func update(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double,
    gradientScale: Float
  ) {
    let first = 1 - ElementaryFunctions.power(settings.beta1, step)
    let second = (1 - ElementaryFunctions.power(settings.beta2, step)).squareRoot()
    lambDirection(
      AdamFactors(
        firstDecay: Float(1 - settings.beta1), secondDecay: Float(1 - settings.beta2), learningRate: Float(1 / first),
        secondCorrection: Float(1 / second), epsilon: Float(settings.epsilon),
        weightDecay: Float(settings.weightDecay), gradientScale: gradientScale),
      count: count, parameters: parameters, gradients: gradients, firstMoments: firstMoments.values,
      secondMoments: secondMoments.values, direction: direction)
    for tensor in tensors {
      let (values, step) = (parameters + tensor.lowerBound, direction + tensor.lowerBound)
      let weightNorm = squaredNorm(count: tensor.count, values).squareRoot()
      let stepNorm = squaredNorm(count: tensor.count, step).squareRoot()
      let ratio = weightNorm > 0 && stepNorm > 0 ? weightNorm / stepNorm : 1
      subtractScaled(Float(learningRate * ratio), count: tensor.count, step, from: values)
    }
  }
}
