// Direct convolution of any filter size, stride and number of channels: for the shapes that Winograd's filtering
// does not serve, the first layer's single channel among them.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512. A vector is a pixel of two blocks
// of output channels, in one register or in two; a lone last block is computed twice, and stored once.

import CVectors

#if WIDE_VECTORS
  import Kernels

  private let pixelsAtOnce = 7
#else
  private let pixelsAtOnce = 6
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

#if !WIDE_VECTORS
  /// How a convolution meets the memory of one image. Strides in floats.
  ///
  /// The input is either planar, [channel][row][column] (`pixelStride` 1), or blocked, [channel / 8][row][column][8]
  /// (`pixelStride` 8), and carries its padding: the convolution starts in the corner of the padding.
  public struct DirectConvolutionShape: Sendable {
    public let inputChannels: Int
    public let filterHeight: Int
    public let filterWidth: Int
    public let stride: Int
    /// 1 where the input is planar, 8 where it is blocked.
    public let pixelStride: Int
    /// Between two channels (planar) or two blocks of channels (blocked).
    public let inputPlaneStride: Int
    public let inputRowStride: Int
    /// Blocks of 8 output channels.
    public let outputBlocks: Int
    public let outputRows: Int
    public let outputColumns: Int
    public let outputBlockStride: Int
    public let outputRowStride: Int

    public init(
      inputChannels: Int, filterHeight: Int, filterWidth: Int, stride: Int, pixelStride: Int, inputPlaneStride: Int,
      inputRowStride: Int, outputBlocks: Int, outputRows: Int, outputColumns: Int, outputBlockStride: Int,
      outputRowStride: Int
    ) {
      self.inputChannels = inputChannels
      self.filterHeight = filterHeight
      self.filterWidth = filterWidth
      self.stride = stride
      self.pixelStride = pixelStride
      self.inputPlaneStride = inputPlaneStride
      self.inputRowStride = inputRowStride
      self.outputBlocks = outputBlocks
      self.outputRows = outputRows
      self.outputColumns = outputColumns
      self.outputBlockStride = outputBlockStride
      self.outputRowStride = outputRowStride
    }

    @inlinable public var taps: Int { filterHeight * filterWidth }
    /// Floats of the weights' panels of one output block.
    @inlinable public var panelStride: Int { inputChannels * taps * 8 }

    /// Floats from the first channel to this one, at the same pixel.
    @inlinable public func channelOffset(_ channel: Int) -> Int {
      pixelStride == 1 ? channel * inputPlaneStride : (channel / 8) * inputPlaneStride + channel % 8
    }
  }
#endif

/// output = convolution of input with weights, plus bias, then max(0, ·) where `rectified`.
///
/// - Parameters:
///   - input: the corner of the padded image.
///   - weights: [outputBlocks][inputChannels][taps][8].
///   - bias: [outputBlocks · 8].
///   - output: the first pixel, blocked.
///
/// Error of an output: at most (inputChannels · taps + 1) · 2^-24 · (sum of |input · weight| + |bias|).
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
  var block = 0
  while block < shape.outputBlocks {
    let isPaired = block + 1 < shape.outputBlocks
    let w = weights + block * shape.panelStride
    for y in 0..<shape.outputRows {
      let source = input + y * stride * shape.inputRowStride
      let target = output + block * shape.outputBlockStride + y * shape.outputRowStride
      var x = 0
      while x < shape.outputColumns {
        let s = source + x * stride * pixelStride
        let t = target + x * 8
        if x + pixelsAtOnce <= shape.outputColumns {
          #if WIDE_VECTORS
            let initial = InlineArray<7, Vector>(repeating: zero)
          #else
            let initial = InlineArray<6, Vector>(repeating: zero)
          #endif
          pixels(
            initial, shape, height, width, stride * pixelStride, pixelStride, s, w, bias + block * 8, t, rectified,
            isPaired)
          x += pixelsAtOnce
        } else if x + 4 <= shape.outputColumns {
          pixels(
            InlineArray<4, Vector>(repeating: zero), shape, height, width, stride * pixelStride, pixelStride, s, w,
            bias + block * 8, t, rectified, isPaired)
          x += 4
        } else {
          pixels(
            InlineArray<1, Vector>(repeating: zero), shape, height, width, stride * pixelStride, pixelStride, s, w,
            bias + block * 8, t, rectified, isPaired)
          x += 1
        }
      }
    }
    block += 2
  }
}

/// One register tile: `count` neighbouring pixels of two blocks of output channels, or of one.
@inline(__always)
private func pixels<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ shape: DirectConvolutionShape, _ height: Int, _ width: Int, _ step: Int,
  _ pixelStride: Int, _ input: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ rectified: Bool, _ isPaired: Bool
) {
  let second = isPaired ? shape.panelStride : 0
  var sums = initial
  let shift = load(bias, 0, second: isPaired ? 8 : 0)
  for i in 0..<count { sums[i] = shift }
  var w = weights
  for channel in 0..<shape.inputChannels {
    let plane = input + shape.channelOffset(channel)
    for ky in 0..<height {
      var x = plane + ky * shape.inputRowStride
      for _ in 0..<width {
        let weight = load(w, 0, second: second)
        for i in 0..<count {
          sums[i] = dtrain_add_product(sums[i], Vector(repeating: x[i * step]), weight)
        }
        w += 8
        x += pixelStride
      }
    }
  }
  for i in 0..<count {
    if rectified { sums[i] = dtrain_rectified(sums[i], sums[i]) }
    store(sums[i], output, 8 * i, second: shape.outputBlockStride, isPaired)
  }
}
