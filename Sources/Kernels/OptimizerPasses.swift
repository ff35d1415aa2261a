// The passes over the flat buffers that an update of the parameters takes: optimizers, clipping, the weights' average.

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
  let moments = AdamMoments(factors, gradients, firstMoments, secondMoments)
  let decay = Vector(repeating: -factors.weightDecay)
  var i = 0
  while i < count {
    let step = moments.advance(i)
    var w = load(parameters, i)
    w.addProduct(decay, w)
    store(w - step, parameters, i)
    i += 8
  }
}

/// The moments of Adam, and the step that they give.
private struct AdamMoments {
  private let first: Vector
  private let second: Vector
  private let rate: Vector
  private let correction: Vector
  private let epsilon: Vector
  private let scale: Vector
  private let gradients: UnsafePointer<Float>
  private let firstMoments: UnsafeMutablePointer<Float>
  private let secondMoments: UnsafeMutablePointer<Float>

  @inline(__always)
  init(
    _ factors: AdamFactors, _ gradients: UnsafePointer<Float>, _ firstMoments: UnsafeMutablePointer<Float>,
    _ secondMoments: UnsafeMutablePointer<Float>
  ) {
    first = Vector(repeating: factors.firstDecay)
    second = Vector(repeating: factors.secondDecay)
    rate = Vector(repeating: factors.learningRate)
    correction = Vector(repeating: factors.secondCorrection)
    epsilon = Vector(repeating: factors.epsilon)
    scale = Vector(repeating: factors.gradientScale)
    (self.gradients, self.firstMoments, self.secondMoments) = (gradients, firstMoments, secondMoments)
  }

  /// Moves eight of each; rate · m / (√v · correction + ε).
  @inline(__always)
  func advance(_ i: Int) -> Vector {
    let g = load(gradients, i) * scale
    var m = load(firstMoments, i)
    var v = load(secondMoments, i)
    m.addProduct(first, g - m)
    v.addProduct(second, (g * g) - v)
    store(m, firstMoments, i)
    store(v, secondMoments, i)
    return rate * m / epsilon.addingProduct(v.squareRoot(), correction)
  }
}

/// The direction of one LAMB step over flat buffers.
///
/// m += (1 − β1)(g − m); v += (1 − β2)(g² − v); direction = rate · m / (√v · correction + ε) + decay · w.
///
/// - Parameters:
///   - count: a multiple of 8.
///   - direction: [count].
///
/// Each operation rounds once; products that are added are fused.
public func lambDirection(
  _ factors: AdamFactors, count: Int, parameters: UnsafePointer<Float>, gradients: UnsafePointer<Float>,
  firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>,
  direction: UnsafeMutablePointer<Float>
) {
  let moments = AdamMoments(factors, gradients, firstMoments, secondMoments)
  let decay = Vector(repeating: factors.weightDecay)
  var i = 0
  while i < count {
    store(moments.advance(i).addingProduct(decay, load(parameters, i)), direction, i)
    i += 8
  }
}

/// values −= factor · direction, each a fused multiply-add.
public func subtractScaled(
  _ factor: Float, count: Int, _ direction: UnsafePointer<Float>, from values: UnsafeMutablePointer<Float>
) {
  let rate = Vector(repeating: -factor)
  var i = 0
  while i + 8 <= count {
    store(load(values, i).addingProduct(rate, load(direction, i)), values, i)
    i += 8
  }
  while i < count {
    values[i].addProduct(-factor, direction[i])
    i += 1
  }
}

/// The factors of one step of gradient descent with momentum, already rounded to what the arithmetic uses.
public struct MomentumFactors: Sendable {
  public let learningRate: Float
  public let momentum: Float
  public let isNesterov: Bool
  /// The learning rate times the decoupled weight decay; 0 for none.
  public let weightDecay: Float
  /// What the gradients are multiplied by first.
  public let gradientScale: Float

  public init(learningRate: Float, momentum: Float, isNesterov: Bool, weightDecay: Float, gradientScale: Float) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }
}

/// One step over flat buffers: v = momentum · v + g; w −= decay · w; w −= rate · v, or rate · (g + momentum · v).
///
/// - Parameter count: a multiple of 8.
///
/// Each operation rounds once; products that are added are fused.
public func momentumUpdate(
  _ factors: MomentumFactors, count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
  velocity: UnsafeMutablePointer<Float>
) {
  let rate = Vector(repeating: -factors.learningRate)
  let momentum = Vector(repeating: factors.momentum)
  let decay = Vector(repeating: -factors.weightDecay)
  let scale = Vector(repeating: factors.gradientScale)
  var i = 0
  while i < count {
    let g = load(gradients, i) * scale
    let v = g.addingProduct(momentum, load(velocity, i))
    store(v, velocity, i)
    var w = load(parameters, i)
    w.addProduct(decay, w)
    w.addProduct(rate, factors.isNesterov ? g.addingProduct(momentum, v) : v)
    store(w, parameters, i)
    i += 8
  }
}

/// The sum of the squares, added in double in a fixed order: eight running sums, then these from the first to the last,
/// then what is left behind the last whole eight.
public func squaredNorm(count: Int, _ values: UnsafePointer<Float>) -> Double {
  var norm = SquaredNorm()
  let whole = count / 8 * 8
  norm.add(values, count: whole)
  return norm.total(with: values + whole, count: count - whole)
}

/// The same, of values that come in several pieces.
public struct SquaredNorm: Sendable {
  /// The eight running sums.
  public private(set) var sums: SIMD8<Double>

  /// - Parameter sums: of the pieces before.
  public init(_ sums: SIMD8<Double> = .zero) { self.sums = sums }

  /// Adds the squares of the next piece.
  ///
  /// - Parameter count: a multiple of 8.
  public mutating func add(_ values: UnsafePointer<Float>, count: Int) {
    var sums = sums
    var i = 0
    while i < count {
      let v = SIMD8<Double>(load(values, i))
      sums += v * v
      i += 8
    }
    self.sums = sums
  }

  /// The sum of all, and of the last few values, fewer than eight.
  public func total(with rest: UnsafePointer<Float>, count: Int) -> Double {
    var sum = 0.0
    for lane in 0..<8 { sum += sums[lane] }
    for index in 0..<count { sum += Double(rest[index]) * Double(rest[index]) }
    return sum
  }
}

/// average += rate · (values − average).
///
/// - Parameter count: a multiple of 8.
public func averageUpdate(
  rate: Float, count: Int, values: UnsafePointer<Float>, average: UnsafeMutablePointer<Float>
) {
  let rate = Vector(repeating: rate)
  var i = 0
  while i < count {
    let a = load(average, i)
    store(a.addingProduct(rate, load(values, i) - a), average, i)
    i += 8
  }
}
