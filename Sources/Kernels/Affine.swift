// The gradient of an affine layer's weights, for a few samples at a time. AffineProducts.swift has its other products.

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

/// Sizes of an affine layer. Strides in floats.
public struct AffineShape: Sendable {
  public let inputs: Int
  public let outputs: Int
  /// Between two samples' inputs, outputs, and their gradients.
  public let inputStride: Int
  public let outputStride: Int

  public init(inputs: Int, outputs: Int, inputStride: Int, outputStride: Int) {
    self.inputs = inputs
    self.outputs = outputs
    self.inputStride = inputStride
    self.outputStride = outputStride
  }

  /// Outputs in blocks of 8.
  @inlinable public var outputBlocks: Int { (outputs + 7) / 8 }
  /// Inputs in blocks of 8.
  @inlinable public var inputBlocks: Int { (inputs + 7) / 8 }
}

/// weightGradients[k][j] (+)= sum over n of inputs[n][k] · outputGradients[n][j], into rows of the book's shape.
///
/// - Parameters:
///   - rows: for each input k of the kernels' order, the row of `weightGradients` that belongs to it; −1 for none.
///   - weightGradients: [inputs][outputs], row-major, without padding.
///   - biasGradients: [outputs].
///   - nowhere: takes the gradient of an input without a row, [outputBlocks · 8].
///   - adding: whether to add to what is there, or to write over it.
///
/// Error of an element: at most samples · 2^-24 · sum of |input · gradient|.
public func affineWeightGradient(
  _ shape: AffineShape, samples: Int, inputs: UnsafePointer<Float>, outputGradients: UnsafePointer<Float>,
  rows: UnsafePointer<Int32>, weightGradients: UnsafeMutablePointer<Float>,
  biasGradients: UnsafeMutablePointer<Float>, nowhere: UnsafeMutablePointer<Float>, adding: Bool
) {
  let whole = shape.outputs / 8
  @inline(__always)
  func row(_ input: Int) -> UnsafeMutablePointer<Float> {
    rows[input] < 0 ? nowhere : weightGradients + Int(rows[input]) * shape.outputs
  }
  // Inputs come in whole blocks of 8, so four at a time leave none over.
  var input = 0
  while input < shape.inputs {
    let (row0, row1, row2, row3) = (row(input), row(input + 1), row(input + 2), row(input + 3))
    let x = inputs + input
    var block = 0
    while block < whole {
      let offset = block * 8
      if block + 3 <= whole {
        outer(
          InlineArray<3, Vector>(repeating: zero), samples, x, shape.inputStride, outputGradients + offset,
          shape.outputStride, row0 + offset, row1 + offset, row2 + offset, row3 + offset, adding)
        block += 3
      } else {
        outer(
          InlineArray<1, Vector>(repeating: zero), samples, x, shape.inputStride, outputGradients + offset,
          shape.outputStride, row0 + offset, row1 + offset, row2 + offset, row3 + offset, adding)
        block += 1
      }
    }
    for output in (whole * 8)..<shape.outputs {
      var sums = adding ? SIMD4(row0[output], row1[output], row2[output], row3[output]) : SIMD4(repeating: 0)
      for n in 0..<samples {
        let four = UnsafeRawPointer(x + n * shape.inputStride).loadUnaligned(as: SIMD4<Float>.self)
        sums.addProduct(four, SIMD4(repeating: outputGradients[n * shape.outputStride + output]))
      }
      row0[output] = sums[0]
      row1[output] = sums[1]
      row2[output] = sums[2]
      row3[output] = sums[3]
    }
    input += 4
  }
  for output in 0..<shape.outputs {
    var sum = adding ? biasGradients[output] : 0
    for n in 0..<samples { sum += outputGradients[n * shape.outputStride + output] }
    biasGradients[output] = sum
  }
}

/// Four inputs by `count` blocks of outputs.
@inline(__always)
private func outer<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ samples: Int, _ x: UnsafePointer<Float>, _ inputStride: Int,
  _ d: UnsafePointer<Float>, _ outputStride: Int, _ row0: UnsafeMutablePointer<Float>,
  _ row1: UnsafeMutablePointer<Float>, _ row2: UnsafeMutablePointer<Float>, _ row3: UnsafeMutablePointer<Float>,
  _ adding: Bool
) {
  var a = initial
  var b = initial
  var c = initial
  var e = initial
  if adding {
    for j in 0..<count {
      a[j] = load(row0, 8 * j)
      b[j] = load(row1, 8 * j)
      c[j] = load(row2, 8 * j)
      e[j] = load(row3, 8 * j)
    }
  }
  for n in 0..<samples {
    let s = x + n * inputStride
    let (x0, x1) = (Vector(repeating: s[0]), Vector(repeating: s[1]))
    let (x2, x3) = (Vector(repeating: s[2]), Vector(repeating: s[3]))
    for j in 0..<count {
      let g = load(d, n * outputStride + 8 * j)
      a[j].addProduct(x0, g)
      b[j].addProduct(x1, g)
      c[j].addProduct(x2, g)
      e[j].addProduct(x3, g)
    }
  }
  for j in 0..<count {
    store(a[j], row0, 8 * j)
    store(b[j], row1, 8 * j)
    store(c[j], row2, 8 * j)
    store(e[j], row3, 8 * j)
  }
}
