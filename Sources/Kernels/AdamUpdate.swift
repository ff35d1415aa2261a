// The optimizers' passes over the flat buffers.

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

/// The factors of one Adam step, already rounded to what the arithmetic uses.
public struct AdamFactors: Sendable {
  /// 1 − β1.
  public let firstDecay: Float
  /// 1 − β2.
  public let secondDecay: Float
  /// The learning rate, with the corrections of the form that is used.
  public let learningRate: Float
  /// What √v is multiplied by before ε is added: 1 in the book's form, 1 / √(1 − β2ᵗ) in the common one.
  public let secondCorrection: Float
  public let epsilon: Float
  /// The learning rate times the decoupled weight decay; 0 for none.
  public let weightDecay: Float
  /// What the gradients are multiplied by first.
  public let gradientScale: Float

  public init(
    firstDecay: Float, secondDecay: Float, learningRate: Float, secondCorrection: Float, epsilon: Float,
    weightDecay: Float, gradientScale: Float = 1
  ) {
    self.firstDecay = firstDecay
    self.secondDecay = secondDecay
    self.learningRate = learningRate
    self.secondCorrection = secondCorrection
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }
}

/// One Adam step over flat buffers.
///
/// m += (1 − β1)(g − m); v += (1 − β2)(g² − v); w −= decay · w; w −= rate · m / (√v · correction + ε).
///
/// - Parameters:
///   - count: a multiple of 8.
///
/// Each operation rounds once; the moments' updates are each one fused multiply-add.
public func adamUpdate(
  _ factors: AdamFactors, count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
  firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>
) {
  let first = Vector(repeating: factors.firstDecay)
  let second = Vector(repeating: factors.secondDecay)
  let rate = Vector(repeating: factors.learningRate)
  let correction = Vector(repeating: factors.secondCorrection)
  let epsilon = Vector(repeating: factors.epsilon)
  let decay = Vector(repeating: -factors.weightDecay)
  let scale = Vector(repeating: factors.gradientScale)
  var i = 0
  while i < count {
    let g = load(gradients, i) * scale
    var m = load(firstMoments, i)
    var v = load(secondMoments, i)
    var w = load(parameters, i)
    m.addProduct(first, g - m)
    v.addProduct(second, (g * g) - v)
    store(m, firstMoments, i)
    store(v, secondMoments, i)
    w.addProduct(decay, w)
    let denominator = epsilon.addingProduct(v.squareRoot(), correction)
    store(w - rate * m / denominator, parameters, i)
    i += 8
  }
}
