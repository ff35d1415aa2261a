// The gradients of a direct convolution's weights and bias.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512. A vector is a pixel of two blocks
// of output channels, in one register or in two; a lone last block is computed twice, and stored once.

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

@inline(__always)
private func store(
  _ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int, second: Int, _ isPaired: Bool
) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
  if isPaired {
    UnsafeMutableRawPointer(pointer + offset + second).storeBytes(of: value.highHalf, as: SIMD8<Float>.self)
  }
}

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

/// Adds one image's part to the gradients of weights and bias.
///
/// - Parameters:
///   - input: the corner of the padded image.
///   - outputGradient: the first pixel, blocked, with strides of its own.
///   - weightGradients: [outputBlocks][inputChannels][taps][8].
///   - biasGradients: [outputBlocks · 8].
///
/// Error of an element: at most (outputRows · outputColumns + 8) · 2^-24 · sum of |input · gradient|.
public func directConvolutionWeightGradient(
  _ shape: DirectConvolutionShape, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
  gradientBlockStride: Int, gradientRowStride: Int, weightGradients: UnsafeMutablePointer<Float>,
  biasGradients: UnsafeMutablePointer<Float>
) {
  // Strips of rows, so that the gradient's rows stay in the first-level cache for all channels and taps.
  let strip = 4
  #if WIDE_VECTORS
    let isPlanar3x3 =
      shape.filterHeight == 3 && shape.filterWidth == 3 && shape.pixelStride == 1 && shape.stride == 1
  #else
    let isPlanar3x3 = false
  #endif
  var block = 0
  while block < shape.outputBlocks {
    let isPaired = block + 1 < shape.outputBlocks
    let gradient = outputGradient + block * gradientBlockStride
    let panels = weightGradients + block * shape.panelStride
    var bias = load(biasGradients, block * 8, second: isPaired ? 8 : 0)
    var first = 0
    while first < shape.outputRows {
      let rows = first..<min(first + strip, shape.outputRows)
      for channel in 0..<shape.inputChannels {
        #if WIDE_VECTORS
          if isPlanar3x3 {
            let sum = planarGradients(
              shape, rows, input + shape.channelOffset(channel), gradient, gradientBlockStride, gradientRowStride,
              panels + channel * 72, bias, isPaired)
            if channel == 0 { bias = sum }
            continue
          }
        #endif
        for ky in 0..<shape.filterHeight {
          let source = input + shape.channelOffset(channel) + ky * shape.inputRowStride
          let panel = panels + (channel * shape.taps + ky * shape.filterWidth) * 8
          var kx = 0
          while kx < shape.filterWidth {
            let s = source + kx * shape.pixelStride
            if kx + 3 <= shape.filterWidth {
              tapGradients(
                InlineArray<3, Vector>(repeating: zero), shape, rows, s, gradient, gradientBlockStride,
                gradientRowStride, panel + kx * 8, isPaired)
              kx += 3
            } else {
              tapGradients(
                InlineArray<1, Vector>(repeating: zero), shape, rows, s, gradient, gradientBlockStride,
                gradientRowStride, panel + kx * 8, isPaired)
              kx += 1
            }
          }
        }
      }
      first += strip
    }
    if !isPlanar3x3 {
      for y in 0..<shape.outputRows {
        let row = gradient + y * gradientRowStride
        for x in 0..<shape.outputColumns {
          bias = dtrain_sum(bias, load(row, x * 8, second: isPaired ? gradientBlockStride : 0))
        }
      }
    }
    store(bias, biasGradients, block * 8, second: 8, isPaired)
    block += 2
  }
}

/// The gradient of `count` neighbouring taps for two blocks of output channels, even and odd pixels apart.
@inline(__always)
private func tapGradients<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ shape: DirectConvolutionShape, _ rows: Range<Int>,
  _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ gradientBlockStride: Int,
  _ gradientRowStride: Int, _ panel: UnsafeMutablePointer<Float>, _ isPaired: Bool
) {
  let second = isPaired ? gradientBlockStride : 0
  let step = shape.stride * shape.pixelStride
  let tapStride = shape.pixelStride
  var even = initial
  var odd = initial
  for y in rows {
    let x = input + y * shape.stride * shape.inputRowStride
    let d = gradient + y * gradientRowStride
    var column = 0
    while column + 2 <= shape.outputColumns {
      let e = load(d, column * 8, second: second)
      let o = load(d, column * 8 + 8, second: second)
      for k in 0..<count {
        even[k] = dtrain_add_product(even[k], Vector(repeating: x[column * step + k * tapStride]), e)
        odd[k] = dtrain_add_product(odd[k], Vector(repeating: x[(column + 1) * step + k * tapStride]), o)
      }
      column += 2
    }
    if column < shape.outputColumns {
      let e = load(d, column * 8, second: second)
      for k in 0..<count {
        even[k] = dtrain_add_product(even[k], Vector(repeating: x[column * step + k * tapStride]), e)
      }
    }
  }
  for k in 0..<count { add(even[k], odd[k], to: panel + 8 * k, shape, isPaired) }
}

@inline(__always)
private func add(
  _ even: Vector, _ odd: Vector, to panel: UnsafeMutablePointer<Float>, _ shape: DirectConvolutionShape,
  _ isPaired: Bool
) {
  let before = load(panel, 0, second: isPaired ? shape.panelStride : 0)
  store(dtrain_sum(before, dtrain_sum(even, odd)), panel, 0, second: shape.panelStride, isPaired)
}

#if WIDE_VECTORS
  /// `tapGradients` of all taps of a 3x3 filter over a planar channel, which read each gradient once. Its 18 sums need 32
  /// registers. Returns `bias` with the gradients added, which takes no time beside the taps.
  @inline(__always)
  private func planarGradients(
    _ shape: DirectConvolutionShape, _ rows: Range<Int>, _ input: UnsafePointer<Float>,
    _ gradient: UnsafePointer<Float>, _ gradientBlockStride: Int, _ gradientRowStride: Int,
    _ panel: UnsafeMutablePointer<Float>, _ bias: Vector, _ isPaired: Bool
  ) -> Vector {
    let second = isPaired ? gradientBlockStride : 0
    var even = InlineArray<9, Vector>(repeating: zero)
    var odd = even
    var bias = bias
    @inline(__always)
    func addTaps(_ x: UnsafePointer<Float>, _ d: Vector, _ sums: inout InlineArray<9, Vector>) {
      for row in 0..<3 {
        let x = x + row * shape.inputRowStride
        for k in 0..<3 { sums[3 * row + k] = dtrain_add_product(sums[3 * row + k], Vector(repeating: x[k]), d) }
      }
    }
    for y in rows {
      var x = input + y * shape.inputRowStride
      var d = gradient + y * gradientRowStride
      for _ in 0..<shape.outputColumns / 2 {
        let (e, o) = (load(d, 0, second: second), load(d, 8, second: second))
        addTaps(x, e, &even)
        addTaps(x + 1, o, &odd)
        bias = dtrain_sum(dtrain_sum(bias, e), o)
        x += 2
        d += 16
      }
      if shape.outputColumns % 2 == 1 {
        let e = load(d, 0, second: second)
        addTaps(x, e, &even)
        bias = dtrain_sum(bias, e)
      }
    }
    for k in 0..<9 { add(even[k], odd[k], to: panel + 8 * k, shape, isPaired) }
    return bias
  }
#endif
