// The affine layer's products with weights, for a few samples at a time, two blocks of 8 columns to a vector. The bits are
// those of the functions in Kernels.

import Kernels

private typealias Vector = SIMD16<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> SIMD8<Float> {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Float>.self)
}

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

/// As `Kernels.affine`.
public func affine(
  _ shape: AffineShape, samples: Int, inputs: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  bias: UnsafePointer<Float>, outputs: UnsafeMutablePointer<Float>, rectified: Bool
) {
  columns(
    Product(
      samples: samples, terms: shape.inputs, blocks: shape.outputBlocks, left: inputs, leftStride: shape.inputStride,
      right: weights, bias: bias, output: outputs, outputStride: shape.outputStride, rectified: rectified))
}

/// As `Kernels.affineInputGradient`.
public func affineInputGradient(
  _ shape: AffineShape, samples: Int, outputGradients: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  inputGradients: UnsafeMutablePointer<Float>
) {
  columns(
    Product(
      samples: samples, terms: shape.outputs, blocks: shape.inputBlocks, left: outputGradients,
      leftStride: shape.outputStride, right: weights, bias: nil, output: inputGradients,
      outputStride: shape.inputStride, rectified: false))
}

/// output[n][j] = bias[j] + sum over k of left[n][k] · right[j / 8][k][j % 8].
private struct Product {
  let samples: Int
  let terms: Int
  /// Of 8 columns.
  let blocks: Int
  let left: UnsafePointer<Float>
  let leftStride: Int
  let right: UnsafePointer<Float>
  let bias: UnsafePointer<Float>?
  let output: UnsafeMutablePointer<Float>
  let outputStride: Int
  let rectified: Bool
}

@inline(__always)
private func columns(_ product: Product) {
  var block = 0
  while block + 7 <= product.blocks {
    rows(InlineArray<4, Vector>(repeating: zero), product, block)
    block += 8
  }
  while block + 3 <= product.blocks {
    rows(InlineArray<2, Vector>(repeating: zero), product, block)
    block += 4
  }
  while block < product.blocks {
    rows(InlineArray<1, Vector>(repeating: zero), product, block)
    block += 2
  }
}

/// `count` pairs of blocks from `block` on, for all samples, five samples a register tile.
@inline(__always)
private func rows<let count: Int>(_ initial: InlineArray<count, Vector>, _ product: Product, _ block: Int) {
  let (terms, right) = (product.terms, product.right + block * product.terms * 8)
  // A lone last block is computed twice, and stored once.
  let isLone = block + 2 * count > product.blocks
  let last = isLone ? 0 : terms * 8
  var shift = initial
  if let bias = product.bias {
    for j in 0..<count {
      let place = (block + 2 * j) * 8
      shift[j] = Vector(lowHalf: load(bias, place), highHalf: load(bias, place + (isLone && j == count - 1 ? 0 : 8)))
    }
  }
  var sample = 0
  while sample < product.samples {
    let l = product.left + sample * product.leftStride
    var a = shift
    if sample + 5 <= product.samples {
      let (l1, l2) = (l + product.leftStride, l + 2 * product.leftStride)
      let (l3, l4) = (l + 3 * product.leftStride, l + 4 * product.leftStride)
      var b = shift
      var c = shift
      var d = shift
      var e = shift
      for k in 0..<terms {
        let x0 = Vector(repeating: l[k])
        let x1 = Vector(repeating: l1[k])
        let x2 = Vector(repeating: l2[k])
        let x3 = Vector(repeating: l3[k])
        let x4 = Vector(repeating: l4[k])
        for j in 0..<count {
          let place = 2 * j * terms * 8 + k * 8
          let second = place + (j == count - 1 ? last : terms * 8)
          let w = Vector(lowHalf: load(right, place), highHalf: load(right, second))
          a[j].addProduct(x0, w)
          b[j].addProduct(x1, w)
          c[j].addProduct(x2, w)
          d[j].addProduct(x3, w)
          e[j].addProduct(x4, w)
        }
      }
      store(a, product, sample, block, isLone)
      store(b, product, sample + 1, block, isLone)
      store(c, product, sample + 2, block, isLone)
      store(d, product, sample + 3, block, isLone)
      store(e, product, sample + 4, block, isLone)
      sample += 5
    } else {
      for k in 0..<terms {
        let x = Vector(repeating: l[k])
        for j in 0..<count {
          let place = 2 * j * terms * 8 + k * 8
          let second = place + (j == count - 1 ? last : terms * 8)
          a[j].addProduct(x, Vector(lowHalf: load(right, place), highHalf: load(right, second)))
        }
      }
      store(a, product, sample, block, isLone)
      sample += 1
    }
  }
}

@inline(__always)
private func store<let count: Int>(
  _ sums: InlineArray<count, Vector>, _ product: Product, _ sample: Int, _ block: Int, _ isLone: Bool
) {
  let target = UnsafeMutableRawPointer(product.output + sample * product.outputStride + block * 8)
  for j in 0..<count {
    let sum = product.rectified ? sums[j].replacing(with: zero, where: sums[j] .<= zero) : sums[j]
    target.storeBytes(of: sum.lowHalf, toByteOffset: 64 * j, as: SIMD8<Float>.self)
    if !(isLone && j == count - 1) {
      target.storeBytes(of: sum.highHalf, toByteOffset: 64 * j + 32, as: SIMD8<Float>.self)
    }
  }
}
