/// The rule by which a gradient changes the parameters: one pass over flat buffers.
///
/// A step's learning rate and the factor that clips its gradient come from outside, see `ParameterUpdate`: a rule knows
/// nothing of schedules.
public protocol Optimizer: AnyObject {
  /// Whether each parameter moves by its own gradient and state alone, so that a rank can update a slice of them. False
  /// where a rule does not say.
  var isElementwise: Bool { get }

  /// What the rule keeps from step to step, always in the same order. A checkpoint holds it under these names.
  var states: [OptimizerState] { get }

  /// One step along the mean gradient.
  ///
  /// - Parameters:
  ///   - step: its number in the run, from 1.
  ///   - parameters: [count], updated.
  ///   - gradients: [count].
  ///   - gradientScale: what each gradient is multiplied by first; 1 leaves the bits as they are.
  func update(
    step: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double,
    gradientScale: Float)
}

extension Optimizer {
  public var isElementwise: Bool { false }
}

/// A buffer that a rule keeps, with one float for each parameter that it updates.
public struct OptimizerState {
  /// "first_moment".
  public let name: String
  /// [count], at first 0.
  public let values: UnsafeMutablePointer<Float>
  public let count: Int

  /// - Parameter count: of the parameters, rounded up to a multiple of 8.
  init(name: String, count: Int) {
    self.name = name
    self.count = count
    values = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
      .initializeMemory(as: Float.self, repeating: 0, count: count)
  }

  func deallocate() { values.deallocate() }
}
