import Kernels

/// Gradient descent with momentum. The book's section 6.1.4, in the form of Sutskever, Martens, Dahl and Hinton, "On the
/// importance of initialization and momentum in deep learning" (2013), as PyTorch has it: the learning rate is outside
/// the velocity, so that a schedule acts at once.
///
/// v = momentum · v + g; w −= rate · v, or with Nesterov's momentum w −= rate · (g + momentum · v).
public final class StochasticGradientDescent: Optimizer {
  public struct Settings: Sendable {
    /// What a step keeps of the velocity; 0 for none.
    public var momentum = 0.9
    public var isNesterov = false
    /// Decoupled from the gradient: w −= rate · decay · w.
    public var weightDecay = 0.0

    public init() {}
  }

  public let settings: Settings
  private let velocity: OptimizerState
  private let count: Int

  /// - Parameter count: of the parameters, rounded up to a multiple of 8: `ParameterStore.paddedCount`; or of a slice.
  public init(settings: Settings = Settings(), count: Int) {
    self.settings = settings
    self.count = count
    velocity = OptimizerState(name: "velocity", count: count)
  }

  deinit { velocity.deallocate() }

  public let isElementwise = true
  public var states: [OptimizerState] { [velocity] }

  public func update(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double,
    gradientScale: Float
  ) {
    momentumUpdate(
      MomentumFactors(
        learningRate: Float(learningRate), momentum: Float(settings.momentum), isNesterov: settings.isNesterov,
        weightDecay: Float(learningRate * settings.weightDecay), gradientScale: gradientScale),
      count: count, parameters: parameters, gradients: gradients, velocity: velocity.values)
  }
}
