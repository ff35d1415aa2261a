import Arithmetic
import Kernels

/// Adam over a flat buffer. Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2014).
public final class Adam: Optimizer {
  public enum Form: String, Sendable {
    /// The book's, section 6.1.6: rate · √(1 − β2ᵗ) / (1 − β1ᵗ), ε beside √v.
    case book
    /// The paper's algorithm 1: ε beside the square root of the corrected v.
    case common
  }

  public struct Settings: Sendable {
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-7
    public var form = Form.book
    /// Decoupled from the gradient: w −= rate · decay · w. Loshchilov and Hutter (2019).
    public var weightDecay = 0.0

    public init() {}
  }

  public let settings: Settings
  /// Running means of gradients and of their squares, [count].
  private let firstMoments: OptimizerState
  private let secondMoments: OptimizerState
  private let count: Int

  /// - Parameter count: of the parameters, rounded up to a multiple of 8: `ParameterStore.paddedCount`; or of a slice.
  public init(settings: Settings = Settings(), count: Int) {
    self.settings = settings
    self.count = count
    firstMoments = OptimizerState(name: "first_moment", count: count)
    secondMoments = OptimizerState(name: "second_moment", count: count)
  }

  deinit { for state in states { state.deallocate() } }

  public let isElementwise = true
  public var states: [OptimizerState] { [firstMoments, secondMoments] }

  public func update(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double,
    gradientScale: Float
  ) {
    let first = 1 - ElementaryFunctions.power(settings.beta1, step)
    let second = (1 - ElementaryFunctions.power(settings.beta2, step)).squareRoot()
    let isBook = settings.form == .book
    adamUpdate(
      AdamFactors(
        firstDecay: Float(1 - settings.beta1), secondDecay: Float(1 - settings.beta2),
        learningRate: Float(learningRate * (isBook ? second : 1) / first),
        secondCorrection: isBook ? 1 : Float(1 / second), epsilon: Float(settings.epsilon),
        weightDecay: Float(learningRate * settings.weightDecay), gradientScale: gradientScale),
      count: count, parameters: parameters, gradients: gradients, firstMoments: firstMoments.values,
      secondMoments: secondMoments.values)
  }
}
