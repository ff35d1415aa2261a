// The gradients of a direct convolution: of its weights, its bias and its input.

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
  var block = 0
  while block < shape.outputBlocks {
    let second = block + 1 < shape.outputBlocks
    let gradient = outputGradient + block * gradientBlockStride
    let panels = weightGradients + block * shape.panelStride
    var first = 0
    while first < shape.outputRows {
      let rows = first..<min(first + strip, shape.outputRows)
      for channel in 0..<shape.inputChannels {
        for ky in 0..<shape.filterHeight {
          let source = input + shape.channelOffset(channel) + ky * shape.inputRowStride
          let panel = panels + (channel * shape.taps + ky * shape.filterWidth) * 8
          var kx = 0
          while kx < shape.filterWidth {
            let s = source + kx * shape.pixelStride
            if kx + 3 <= shape.filterWidth {
              tapGradients(
                InlineArray<3, Vector>(repeating: zero), shape, rows, s, gradient, gradientBlockStride,
                gradientRowStride, panel + kx * 8, second)
              kx += 3
            } else {
              tapGradients(
                InlineArray<1, Vector>(repeating: zero), shape, rows, s, gradient, gradientBlockStride,
                gradientRowStride, panel + kx * 8, second)
              kx += 1
            }
          }
        }
      }
      first += strip
    }
    block += 2
  }
  for block in 0..<shape.outputBlocks {
    var sum = load(biasGradients, block * 8)
    for y in 0..<shape.outputRows {
      let row = outputGradient + block * gradientBlockStride + y * gradientRowStride
      for x in 0..<shape.outputColumns { sum += load(row, x * 8) }
    }
    store(sum, biasGradients, block * 8)
  }
}

/// The gradient of `count` neighbouring taps for two blocks of output channels, even and odd pixels apart.
@inline(__always)
private func tapGradients<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ shape: DirectConvolutionShape, _ rows: Range<Int>,
  _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ gradientBlockStride: Int,
  _ gradientRowStride: Int, _ panel: UnsafeMutablePointer<Float>, _ paired: Bool
) {
  let blockStride = paired ? gradientBlockStride : 0
  let step = shape.stride * shape.pixelStride
  let tapStride = shape.pixelStride
  var even0 = initial
  var even1 = initial
  var odd0 = initial
  var odd1 = initial
  for y in rows {
    let x = input + y * shape.stride * shape.inputRowStride
    let d = gradient + y * gradientRowStride
    var column = 0
    while column + 2 <= shape.outputColumns {
      let e0 = load(d, column * 8)
      let e1 = load(d, blockStride + column * 8)
      let o0 = load(d, column * 8 + 8)
      let o1 = load(d, blockStride + column * 8 + 8)
      for k in 0..<count {
        let even = Vector(repeating: x[column * step + k * tapStride])
        even0[k].addProduct(even, e0)
        even1[k].addProduct(even, e1)
        let odd = Vector(repeating: x[(column + 1) * step + k * tapStride])
        odd0[k].addProduct(odd, o0)
        odd1[k].addProduct(odd, o1)
      }
      column += 2
    }
    if column < shape.outputColumns {
      let e0 = load(d, column * 8)
      let e1 = load(d, blockStride + column * 8)
      for k in 0..<count {
        let even = Vector(repeating: x[column * step + k * tapStride])
        even0[k].addProduct(even, e0)
        even1[k].addProduct(even, e1)
      }
    }
  }
  for k in 0..<count {
    store(load(panel, 8 * k) + (even0[k] + odd0[k]), panel, 8 * k)
    if paired {
      store(load(panel, shape.panelStride + 8 * k) + (even1[k] + odd1[k]), panel, shape.panelStride + 8 * k)
    }
  }
}

/// The gradient of one block of 8 input channels, spread from the output's gradient.
///
/// - Parameters:
///   - outputChannels: the real number, not rounded up to blocks.
///   - outputGradient: the first pixel, blocked, with strides of its own.
///   - weights: of this input block, [outputChannels][taps][8 input channels] (see `transposePanels`).
///   - inputGradient: [padded rows][padded columns][8], zero before; sums are added.
///   - rowStride: between two rows of it.
///
/// Error of an element: at most outputChannels · taps · 2^-24 · sum of |gradient · weight|.
public func directConvolutionInputGradient(
  _ shape: DirectConvolutionShape, outputChannels: Int, outputGradient: UnsafePointer<Float>,
  gradientBlockStride: Int, gradientRowStride: Int, weights: UnsafePointer<Float>,
  inputGradient: UnsafeMutablePointer<Float>, rowStride: Int
) {
  for y in 0..<shape.outputRows {
    for x in 0..<shape.outputColumns {
      let d = outputGradient + y * gradientRowStride + x * 8
      for ky in 0..<shape.filterHeight {
        let target = inputGradient + (y * shape.stride + ky) * rowStride + x * shape.stride * 8
        var kx = 0
        while kx < shape.filterWidth {
          let w = weights + (ky * shape.filterWidth + kx) * 8
          if kx + 3 <= shape.filterWidth {
            spread(
              InlineArray<3, Vector>(repeating: zero), outputChannels, shape.taps * 8, d, gradientBlockStride, w,
              target + kx * 8)
            kx += 3
          } else {
            spread(
              InlineArray<1, Vector>(repeating: zero), outputChannels, shape.taps * 8, d, gradientBlockStride, w,
              target + kx * 8)
            kx += 1
          }
        }
      }
    }
  }
}

@inline(__always)
private func spread<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ outputChannels: Int, _ weightStride: Int,
  _ gradient: UnsafePointer<Float>, _ gradientBlockStride: Int, _ weights: UnsafePointer<Float>,
  _ target: UnsafeMutablePointer<Float>
) {
  var sum = initial
  for k in 0..<count { sum[k] = load(target, 8 * k) }
  var w = weights
  for output in 0..<outputChannels {
    let d = Vector(repeating: gradient[(output / 8) * gradientBlockStride + output % 8])
    for k in 0..<count { sum[k].addProduct(d, load(w, 8 * k)) }
    w += weightStride
  }
  for k in 0..<count { store(sum[k], target, 8 * k) }
}
