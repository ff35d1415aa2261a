// Direct convolution of two blocks of output channels at once, and the gradient of its weights: for the first layer, whose
// single channel Winograd's filtering does not serve. The bits are those of the functions in Kernels.

import Kernels

private typealias Vector = SIMD16<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> SIMD8<Float> {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
private func loadBlocks(_ pointer: UnsafePointer<Float>, _ offset: Int, _ blockStride: Int) -> Vector {
  Vector(lowHalf: load(pointer, offset), highHalf: load(pointer, offset + blockStride))
}

@inline(__always)
private func storeBlocks(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int, _ blockStride: Int) {
  let target = UnsafeMutableRawPointer(pointer + offset)
  target.storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
  (target + 4 * blockStride).storeBytes(of: value.highHalf, as: SIMD8<Float>.self)
}

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

/// As `Kernels.directConvolution`, where `shape.outputBlocks` is even.
public func directConvolution(
  _ shape: DirectConvolutionShape, input: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  bias: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, rectified: Bool
) {
  if shape.filterHeight == 3 && shape.filterWidth == 3 && shape.stride == 1 && shape.pixelStride == 1 {
    forward(shape, 3, 3, 1, 1, input, weights, bias, output, rectified)
  } else {
    forward(
      shape, shape.filterHeight, shape.filterWidth, shape.stride, shape.pixelStride, input, weights, bias, output,
      rectified)
  }
}

@inline(__always)
private func forward(
  _ shape: DirectConvolutionShape, _ height: Int, _ width: Int, _ stride: Int, _ pixelStride: Int,
  _ input: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ rectified: Bool
) {
  for block in Swift.stride(from: 0, to: shape.outputBlocks, by: 2) {
    let w = weights + block * shape.panelStride
    for y in 0..<shape.outputRows {
      let source = input + y * stride * shape.inputRowStride
      let target = output + block * shape.outputBlockStride + y * shape.outputRowStride
      var x = 0
      while x < shape.outputColumns {
        let s = source + x * stride * pixelStride
        let t = target + x * 8
        if x + 7 <= shape.outputColumns {
          pixels(
            InlineArray<7, Vector>(repeating: zero), shape, height, width, stride * pixelStride, pixelStride, s, w,
            bias + block * 8, t, rectified)
          x += 7
        } else if x + 4 <= shape.outputColumns {
          pixels(
            InlineArray<4, Vector>(repeating: zero), shape, height, width, stride * pixelStride, pixelStride, s, w,
            bias + block * 8, t, rectified)
          x += 4
        } else {
          pixels(
            InlineArray<1, Vector>(repeating: zero), shape, height, width, stride * pixelStride, pixelStride, s, w,
            bias + block * 8, t, rectified)
          x += 1
        }
      }
    }
  }
}

/// One register tile: `count` neighbouring pixels of two blocks of output channels.
@inline(__always)
private func pixels<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ shape: DirectConvolutionShape, _ height: Int, _ width: Int, _ step: Int,
  _ pixelStride: Int, _ input: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ rectified: Bool
) {
  var sums = initial
  let shift = loadBlocks(bias, 0, 8)
  for i in 0..<count { sums[i] = shift }
  var w = weights
  for channel in 0..<shape.inputChannels {
    let plane = input + shape.channelOffset(channel)
    for ky in 0..<height {
      var x = plane + ky * shape.inputRowStride
      for _ in 0..<width {
        let weight = loadBlocks(w, 0, shape.panelStride)
        for i in 0..<count { sums[i].addProduct(Vector(repeating: x[i * step]), weight) }
        w += 8
        x += pixelStride
      }
    }
  }
  for i in 0..<count {
    if rectified { sums[i] = sums[i].replacing(with: zero, where: sums[i] .<= zero) }
    storeBlocks(sums[i], output, 8 * i, shape.outputBlockStride)
  }
}

/// As `Kernels.directConvolutionWeightGradient`, where `shape.outputBlocks` is even.
public func directConvolutionWeightGradient(
  _ shape: DirectConvolutionShape, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
  gradientBlockStride: Int, gradientRowStride: Int, weightGradients: UnsafeMutablePointer<Float>,
  biasGradients: UnsafeMutablePointer<Float>
) {
  // Strips of rows, so that the gradient's rows stay in the first-level cache for all channels and taps.
  let strip = 4
  for block in Swift.stride(from: 0, to: shape.outputBlocks, by: 2) {
    let gradient = outputGradient + block * gradientBlockStride
    let panels = weightGradients + block * shape.panelStride
    for first in Swift.stride(from: 0, to: shape.outputRows, by: strip) {
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
                gradientRowStride, panel + kx * 8)
              kx += 3
            } else {
              tapGradients(
                InlineArray<1, Vector>(repeating: zero), shape, rows, s, gradient, gradientBlockStride,
                gradientRowStride, panel + kx * 8)
              kx += 1
            }
          }
        }
      }
    }
    var sum = loadBlocks(biasGradients, block * 8, 8)
    for y in 0..<shape.outputRows {
      let row = gradient + y * gradientRowStride
      for x in 0..<shape.outputColumns { sum += loadBlocks(row, x * 8, gradientBlockStride) }
    }
    storeBlocks(sum, biasGradients, block * 8, 8)
  }
}

/// The gradient of `count` neighbouring taps for two blocks of output channels, even and odd pixels apart.
@inline(__always)
private func tapGradients<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ shape: DirectConvolutionShape, _ rows: Range<Int>,
  _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ gradientBlockStride: Int,
  _ gradientRowStride: Int, _ panel: UnsafeMutablePointer<Float>
) {
  let step = shape.stride * shape.pixelStride
  let tapStride = shape.pixelStride
  var even = initial
  var odd = initial
  for y in rows {
    let x = input + y * shape.stride * shape.inputRowStride
    let d = gradient + y * gradientRowStride
    var column = 0
    while column + 2 <= shape.outputColumns {
      let e = loadBlocks(d, column * 8, gradientBlockStride)
      let o = loadBlocks(d, column * 8 + 8, gradientBlockStride)
      for k in 0..<count {
        even[k].addProduct(Vector(repeating: x[column * step + k * tapStride]), e)
        odd[k].addProduct(Vector(repeating: x[(column + 1) * step + k * tapStride]), o)
      }
      column += 2
    }
    if column < shape.outputColumns {
      let e = loadBlocks(d, column * 8, gradientBlockStride)
      for k in 0..<count { even[k].addProduct(Vector(repeating: x[column * step + k * tapStride]), e) }
    }
  }
  for k in 0..<count {
    storeBlocks(
      loadBlocks(panel, 8 * k, shape.panelStride) + (even[k] + odd[k]), panel, 8 * k, shape.panelStride)
  }
}
