// The affine layer's products with its weights, for a few samples at a time.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512. A vector is two blocks of 8
// columns, in one register or in two; a lone last block is computed twice, and stored once.

import CVectors

#if WIDE_VECTORS
  import Kernels
#endif

private typealias Vector = SIMD16<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int, second: Int) -> Vector {
  Vector(
    lowHalf: UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Float>.self),
    highHalf: UnsafeRawPointer(pointer + offset + second).loadUnaligned(as: SIMD8<Float>.self))
}

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

/// outputs[n][j] = bias[j] + sum over k of inputs[n][k] · weights[k][j], then max(0, ·) where `rectified`.
///
/// - Parameters:
///   - weights: [outputBlocks][inputs][8].
///   - bias: [outputBlocks · 8].
///
/// Error of an output: at most (inputs + 1) · 2^-24 · (sum of |input · weight| + |bias|).
public func affine(
  _ shape: AffineShape, samples: Int, inputs: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  bias: UnsafePointer<Float>, outputs: UnsafeMutablePointer<Float>, rectified: Bool
) {
  columns(
    Product(
      samples: samples, terms: shape.inputs, blocks: shape.outputBlocks, left: inputs, leftStride: shape.inputStride,
      right: weights, bias: bias, output: outputs, outputStride: shape.outputStride, rectified: rectified))
}

/// inputGradients[n][k] = sum over j of outputGradients[n][j] · weights[k][j].
///
/// - Parameter weights: [inputBlocks][outputs][8 inputs].
///
/// Error of an element: at most outputs · 2^-24 · sum of |gradient · weight|.
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
  #if WIDE_VECTORS
    while block + 7 <= product.blocks {
      rows(InlineArray<4, Vector>(repeating: zero), product, block)
      block += 8
    }
    while block + 3 <= product.blocks {
      rows(InlineArray<2, Vector>(repeating: zero), product, block)
      block += 4
    }
  #endif
  while block < product.blocks {
    rows(InlineArray<1, Vector>(repeating: zero), product, block)
    block += 2
  }
}

/// `pairs` pairs of blocks from `block` on, for all samples.
@inline(__always)
private func rows<let pairs: Int>(_ initial: InlineArray<pairs, Vector>, _ product: Product, _ block: Int) {
  let isLone = block + 2 * pairs > product.blocks
  var shift = initial
  if let bias = product.bias {
    for j in 0..<pairs {
      shift[j] = load(bias, (block + 2 * j) * 8, second: isLone && j == pairs - 1 ? 0 : 8)
    }
  }
  var sample = 0
  while sample < product.samples {
    if sample + 5 <= product.samples {
      tile(InlineArray<5, InlineArray<pairs, Vector>>(repeating: shift), product, sample, block, isLone)
      sample += 5
    } else if sample + 4 <= product.samples {
      tile(InlineArray<4, InlineArray<pairs, Vector>>(repeating: shift), product, sample, block, isLone)
      sample += 4
    } else if sample + 3 <= product.samples {
      tile(InlineArray<3, InlineArray<pairs, Vector>>(repeating: shift), product, sample, block, isLone)
      sample += 3
    } else {
      tile(InlineArray<1, InlineArray<pairs, Vector>>(repeating: shift), product, sample, block, isLone)
      sample += 1
    }
  }
}

@inline(__always)
private func tile<let samples: Int, let pairs: Int>(
  _ bias: InlineArray<samples, InlineArray<pairs, Vector>>, _ product: Product, _ sample: Int, _ block: Int,
  _ isLone: Bool
) {
  let left = product.left + sample * product.leftStride
  let stride = product.terms * 8
  let right = product.right + block * stride
  let last = isLone ? 0 : stride
  var sums = bias
  for k in 0..<product.terms {
    for j in 0..<pairs {
      let w = load(right, 2 * j * stride + k * 8, second: j == pairs - 1 ? last : stride)
      for i in 0..<samples {
        sums[i][j] = dtrain_add_product(sums[i][j], Vector(repeating: left[i * product.leftStride + k]), w)
      }
    }
  }
  for i in 0..<samples {
    let target = UnsafeMutableRawPointer(product.output + (sample + i) * product.outputStride + block * 8)
    for j in 0..<pairs {
      let sum = sums[i][j]
      let value = product.rectified ? dtrain_rectified(sum, sum) : sum
      target.storeBytes(of: value.lowHalf, toByteOffset: 64 * j, as: SIMD8<Float>.self)
      if !(isLone && j == pairs - 1) {
        target.storeBytes(of: value.highHalf, toByteOffset: 64 * j + 32, as: SIMD8<Float>.self)
      }
    }
  }
}
