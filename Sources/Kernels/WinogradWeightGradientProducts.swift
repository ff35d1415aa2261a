// The 36 products that sum a 3x3 convolution's weight gradient in the transformed domain.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512.

#if WIDE_VECTORS
  import Kernels

  private typealias Vector = SIMD16<Float>
#else
  private typealias Vector = SIMD8<Float>
#endif

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

/// weightGradients[f][o][c] (+)= sum over tiles of inputs[f][tile][c] · gradients[f][tile][o], for all 36 frequencies.
///
/// - Parameters:
///   - inputs: transformed inputs, [36][tiles][inputChannels], frequencies `inputStride` apart.
///   - gradients: transformed output gradients, [36][tiles][outputChannels], frequencies `outputStride` apart.
///   - weightGradients: [36][outputChannels / 16][inputChannels][16], frequencies `weightStride` apart.
///   - adding: whether to add to what is there, or to write over it.
///
/// Error of an element: at most tiles · 2^-24 · sum of |input · gradient|, one rounding a term.
public func winogradWeightGradientProduct(
  _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, gradients: UnsafePointer<Float>,
  weightGradients: UnsafeMutablePointer<Float>, adding: Bool
) {
  switch (shape.inputChannels, shape.outputChannels) {
  case (16, 16): Channels<16, 16>.product(shape, inputs, gradients, weightGradients, adding)
  case (16, 32): Channels<16, 32>.product(shape, inputs, gradients, weightGradients, adding)
  case (32, 32): Channels<32, 32>.product(shape, inputs, gradients, weightGradients, adding)
  case (32, 64): Channels<32, 64>.product(shape, inputs, gradients, weightGradients, adding)
  case (64, 64): Channels<64, 64>.product(shape, inputs, gradients, weightGradients, adding)
  default:
    channelProduct(shape, shape.inputChannels, shape.outputChannels, inputs, gradients, weightGradients, adding)
  }
}

/// The product for channels that are known beforehand: strides as constants let the compiler address a register tile from
/// one base.
private enum Channels<let inputCount: Int, let outputCount: Int> {
  // A function of its own for each pair: the compiler does not inline so long a one often.
  @inline(never)
  static func product(
    _ shape: WinogradProductShape, _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>,
    _ weightGradients: UnsafeMutablePointer<Float>, _ adding: Bool
  ) {
    channelProduct(shape, inputCount, outputCount, inputs, gradients, weightGradients, adding)
  }
}

@inline(__always)
private func channelProduct(
  _ shape: WinogradProductShape, _ inputChannels: Int, _ outputChannels: Int, _ inputs: UnsafePointer<Float>,
  _ gradients: UnsafePointer<Float>, _ weightGradients: UnsafeMutablePointer<Float>, _ adding: Bool
) {
  for frequency in 0..<36 {
    let input = inputs + frequency * shape.inputStride
    let gradient = gradients + frequency * shape.outputStride
    let sums = weightGradients + frequency * shape.weightStride
    var block = 0
    #if WIDE_VECTORS
      while block + 32 <= outputChannels {
        let sum = sums + block * inputChannels
        for channel in stride(from: 0, to: inputChannels, by: 8) {
          byTwo(
            InlineArray<8, Vector>(repeating: zero), input + channel, inputChannels, gradient + block, outputChannels,
            shape.tiles, adding, sum + 16 * channel, second: 16 * inputChannels)
        }
        block += 32
      }
    #endif
    while block < outputChannels {
      blockOf16(
        input, inputChannels, inputChannels, gradient + block, outputChannels, shape.tiles, adding,
        sums + block * inputChannels)
      block += 16
    }
  }
}

/// The gradient of all filters from the tiles of one group that is a whole microbatch: products and transform back, 16
/// input by 16 output channels at a time, so that the transformed gradient never leaves the nearest cache. The bits are
/// those of `winogradWeightGradientProduct` and `winogradWeightGradientTransform` one after the other.
///
/// - Parameters:
///   - channels: input channels that exist.
///   - filters: output channels that exist.
///   - block: `winogradGradientBlockCount` floats.
///   - panels: `winogradGradientPanelCount` floats.
///   - matrix: [filters][channels][9], written over.
public func winogradWeightGradient(
  _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, gradients: UnsafePointer<Float>, channels: Int,
  filters: Int, block: UnsafeMutablePointer<Float>, panels: UnsafeMutablePointer<Float>,
  matrix: UnsafeMutablePointer<Float>
) {
  switch (shape.inputChannels, shape.outputChannels) {
  case (32, 64): blocked(shape, 32, 64, inputs, gradients, channels, filters, block, panels, matrix)
  case (64, 64): blocked(shape, 64, 64, inputs, gradients, channels, filters, block, panels, matrix)
  default:
    blocked(
      shape, shape.inputChannels, shape.outputChannels, inputs, gradients, channels, filters, block, panels,
      matrix)
  }
}

@inline(__always)
private func blocked(
  _ shape: WinogradProductShape, _ inputChannels: Int, _ outputChannels: Int, _ inputs: UnsafePointer<Float>,
  _ gradients: UnsafePointer<Float>, _ channels: Int, _ filters: Int, _ block: UnsafeMutablePointer<Float>,
  _ panels: UnsafeMutablePointer<Float>, _ matrix: UnsafeMutablePointer<Float>
) {
  for pair in 0..<(outputChannels / 16) {
    var channel = 0
    while channel < channels {
      for frequency in 0..<36 {
        blockOf16(
          inputs + frequency * shape.inputStride + channel, inputChannels, min(16, inputChannels - channel),
          gradients + frequency * shape.outputStride + pair * 16, outputChannels, shape.tiles, false,
          block + frequency * winogradGradientBlockStride)
      }
      winogradWeightGradientTransform(
        gradients: block, inputChannels: min(16, channels - channel), paddedInputChannels: 16,
        filters: min(16, filters - 16 * pair), frequencyStride: winogradGradientBlockStride, panels: panels,
        matrix: matrix + (16 * pair * channels + channel) * 9, rowStride: channels * 9)
      channel += 16
    }
  }
}

/// All of `channels` input channels, a multiple of 8, by one block of 16 output channels.
@inline(__always)
private func blockOf16(
  _ input: UnsafePointer<Float>, _ c: Int, _ channels: Int, _ gradient: UnsafePointer<Float>, _ o: Int, _ tiles: Int,
  _ adding: Bool, _ sum: UnsafeMutablePointer<Float>
) {
  var channel = 0
  #if WIDE_VECTORS
    while channel + 16 <= channels {
      byOne(
        InlineArray<16, Vector>(repeating: zero), input + channel, c, gradient, o, tiles, adding, sum + 16 * channel)
      channel += 16
    }
    while channel < channels {
      byOne(
        InlineArray<8, Vector>(repeating: zero), input + channel, c, gradient, o, tiles, adding, sum + 16 * channel)
      channel += 8
    }
  #else
    // Runs of 6, and of 4 so that none is left over: 16 = 6 + 6 + 4, 32 = 4 · 6 + 4 + 4, 64 = 10 · 6 + 4.
    var fours = 0
    while (channels - 4 * fours) % 6 != 0 { fours += 1 }
    let sixesEnd = channels - 4 * fours
    while channel + 6 <= sixesEnd {
      byTwo(
        InlineArray<6, Vector>(repeating: zero), input + channel, c, gradient, o, tiles, adding, sum + 16 * channel,
        second: 8)
      channel += 6
    }
    while channel < channels {
      byTwo(
        InlineArray<4, Vector>(repeating: zero), input + channel, c, gradient, o, tiles, adding, sum + 16 * channel,
        second: 8)
      channel += 4
    }
  #endif
}

/// `count` input channels by two vectors of output channels, whose sums lie `second` floats apart.
@inline(__always)
private func byTwo<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ v: UnsafePointer<Float>, _ c: Int, _ d: UnsafePointer<Float>, _ o: Int,
  _ tiles: Int, _ adding: Bool, _ g: UnsafeMutablePointer<Float>, second: Int
) {
  var a = initial
  var b = initial
  if adding {
    for i in 0..<count {
      a[i] = load(g, 16 * i)
      b[i] = load(g, second + 16 * i)
    }
  }
  var t = 0
  while t < tiles {
    let d0 = load(d, t * o)
    let d1 = load(d, t * o + Vector.scalarCount)
    let row = v + t * c
    for i in 0..<count {
      let x = Vector(repeating: row[i])
      a[i].addProduct(x, d0)
      b[i].addProduct(x, d1)
    }
    t += 1
  }
  for i in 0..<count {
    store(a[i], g, 16 * i)
    store(b[i], g, second + 16 * i)
  }
}

#if WIDE_VECTORS
  /// `count` input channels by one vector, which is a block of 16 output channels.
  @inline(__always)
  private func byOne<let count: Int>(
    _ initial: InlineArray<count, Vector>, _ v: UnsafePointer<Float>, _ c: Int, _ d: UnsafePointer<Float>, _ o: Int,
    _ tiles: Int, _ adding: Bool, _ g: UnsafeMutablePointer<Float>
  ) {
    var a = initial
    if adding {
      for i in 0..<count { a[i] = load(g, 16 * i) }
    }
    var t = 0
    while t < tiles {
      let w = load(d, t * o)
      let row = v + t * c
      for i in 0..<count { a[i].addProduct(Vector(repeating: row[i]), w) }
      t += 1
    }
    for i in 0..<count { store(a[i], g, 16 * i) }
  }
#endif
