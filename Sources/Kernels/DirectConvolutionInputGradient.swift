// The gradient of a direct convolution's input.

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
