// The 36 products that sum a 3x3 convolution's weight gradient in the transformed domain.

private typealias Vector = SIMD8<Float>

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func load(_ pointer: UnsafeMutablePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

@inline(__always)
private func broadcast(_ value: Float) -> Vector { Vector(repeating: value) }

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
  // The strides as constants let the compiler address a register tile from one base.
  switch (shape.inputChannels, shape.outputChannels) {
  case (16, 16): product(shape, 16, 16, inputs, gradients, weightGradients, adding)
  case (16, 32): product(shape, 16, 32, inputs, gradients, weightGradients, adding)
  case (32, 32): product(shape, 32, 32, inputs, gradients, weightGradients, adding)
  case (32, 64): product(shape, 32, 64, inputs, gradients, weightGradients, adding)
  case (64, 64): product(shape, 64, 64, inputs, gradients, weightGradients, adding)
  default:
    product(shape, shape.inputChannels, shape.outputChannels, inputs, gradients, weightGradients, adding)
  }
}

@inline(__always)
private func product(
  _ shape: WinogradProductShape, _ inputChannels: Int, _ outputChannels: Int, _ inputs: UnsafePointer<Float>,
  _ gradients: UnsafePointer<Float>, _ weightGradients: UnsafeMutablePointer<Float>, _ adding: Bool
) {
  // Runs of 6 input channels, and of 4 so that none is left over: 16 = 6 + 6 + 4, 32 = 4 · 6 + 4 + 4, 64 = 10 · 6 + 4.
  var fours = 0
  while (inputChannels - 4 * fours) % 6 != 0 { fours += 1 }
  let sixesEnd = inputChannels - 4 * fours
  for frequency in 0..<36 {
    let input = inputs + frequency * shape.inputStride
    let gradient = gradients + frequency * shape.outputStride
    for block in 0..<(outputChannels / 16) {
      let column = gradient + block * 16
      let sum = weightGradients + frequency * shape.weightStride + block * inputChannels * 16
      var channel = 0
      while channel + 6 <= sixesEnd {
        sixChannels(input + channel, inputChannels, column, outputChannels, shape.tiles, adding, sum + 16 * channel)
        channel += 6
      }
      while channel < inputChannels {
        fourChannels(input + channel, inputChannels, column, outputChannels, shape.tiles, adding, sum + 16 * channel)
        channel += 4
      }
    }
  }
}

/// The gradient of all filters from the tiles of one group that is a whole microbatch: products and transform back, 16
/// input by 16 output channels at a time, so that the transformed gradient never leaves the nearest cache. The bits are
/// those of `winogradWeightGradientProduct` and `winogradWeightGradientTransform` one after the other.
///
/// - Parameters:
///   - channels: input channels that exist.
///   - outputBlocks: blocks of 8 output channels that exist.
///   - block: `winogradGradientBlockCount` floats.
///   - panels: [outputBlocks][channels][9][8], written over.
public func winogradWeightGradient(
  _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, gradients: UnsafePointer<Float>, channels: Int,
  outputBlocks: Int, block: UnsafeMutablePointer<Float>, panels: UnsafeMutablePointer<Float>
) {
  switch (shape.inputChannels, shape.outputChannels) {
  case (32, 64): blocked(shape, 32, 64, inputs, gradients, channels, outputBlocks, block, panels)
  case (64, 64): blocked(shape, 64, 64, inputs, gradients, channels, outputBlocks, block, panels)
  default:
    blocked(
      shape, shape.inputChannels, shape.outputChannels, inputs, gradients, channels, outputBlocks, block, panels)
  }
}

/// Floats of one block of the transformed weight gradient: 36 frequencies of 16 by 16 channels.
public let winogradGradientBlockCount = 36 * gradientBlockStride
private let gradientBlockStride = 16 * 16 + 16

@inline(__always)
private func blocked(
  _ shape: WinogradProductShape, _ inputChannels: Int, _ outputChannels: Int, _ inputs: UnsafePointer<Float>,
  _ gradients: UnsafePointer<Float>, _ channels: Int, _ outputBlocks: Int, _ block: UnsafeMutablePointer<Float>,
  _ panels: UnsafeMutablePointer<Float>
) {
  for pair in 0..<(outputChannels / 16) {
    var channel = 0
    while channel < channels {
      for frequency in 0..<36 {
        let input = inputs + frequency * shape.inputStride + channel
        let column = gradients + frequency * shape.outputStride + pair * 16
        let sum = block + frequency * gradientBlockStride
        if channel + 16 <= inputChannels {
          sixChannels(input, inputChannels, column, outputChannels, shape.tiles, false, sum)
          sixChannels(input + 6, inputChannels, column, outputChannels, shape.tiles, false, sum + 96)
          fourChannels(input + 12, inputChannels, column, outputChannels, shape.tiles, false, sum + 192)
        } else {
          fourChannels(input, inputChannels, column, outputChannels, shape.tiles, false, sum)
          fourChannels(input + 4, inputChannels, column, outputChannels, shape.tiles, false, sum + 64)
        }
      }
      winogradWeightGradientTransform(
        gradients: block, inputChannels: min(16, channels - channel), paddedInputChannels: 16,
        outputBlocks: min(2, outputBlocks - 2 * pair), frequencyStride: gradientBlockStride,
        panels: panels + (2 * pair * channels + channel) * 72, panelStride: channels * 72)
      channel += 16
    }
  }
}

@inline(__always)
private func sixChannels(
  _ v: UnsafePointer<Float>, _ c: Int, _ d: UnsafePointer<Float>, _ o: Int, _ tiles: Int, _ adding: Bool,
  _ g: UnsafeMutablePointer<Float>
) {
  var a0 = adding ? load(g, 0) : zero
  var b0 = adding ? load(g, 8) : zero
  var a1 = adding ? load(g, 16) : zero
  var b1 = adding ? load(g, 24) : zero
  var a2 = adding ? load(g, 32) : zero
  var b2 = adding ? load(g, 40) : zero
  var a3 = adding ? load(g, 48) : zero
  var b3 = adding ? load(g, 56) : zero
  var a4 = adding ? load(g, 64) : zero
  var b4 = adding ? load(g, 72) : zero
  var a5 = adding ? load(g, 80) : zero
  var b5 = adding ? load(g, 88) : zero
  var t = 0
  while t < tiles {
    let d0 = load(d, t * o)
    let d1 = load(d, t * o + 8)
    let row = v + t * c
    var x = broadcast(row[0])
    a0.addProduct(x, d0)
    b0.addProduct(x, d1)
    x = broadcast(row[1])
    a1.addProduct(x, d0)
    b1.addProduct(x, d1)
    x = broadcast(row[2])
    a2.addProduct(x, d0)
    b2.addProduct(x, d1)
    x = broadcast(row[3])
    a3.addProduct(x, d0)
    b3.addProduct(x, d1)
    x = broadcast(row[4])
    a4.addProduct(x, d0)
    b4.addProduct(x, d1)
    x = broadcast(row[5])
    a5.addProduct(x, d0)
    b5.addProduct(x, d1)
    t += 1
  }
  store(a0, g, 0)
  store(b0, g, 8)
  store(a1, g, 16)
  store(b1, g, 24)
  store(a2, g, 32)
  store(b2, g, 40)
  store(a3, g, 48)
  store(b3, g, 56)
  store(a4, g, 64)
  store(b4, g, 72)
  store(a5, g, 80)
  store(b5, g, 88)
}

@inline(__always)
private func fourChannels(
  _ v: UnsafePointer<Float>, _ c: Int, _ d: UnsafePointer<Float>, _ o: Int, _ tiles: Int, _ adding: Bool,
  _ g: UnsafeMutablePointer<Float>
) {
  var a0 = adding ? load(g, 0) : zero
  var b0 = adding ? load(g, 8) : zero
  var a1 = adding ? load(g, 16) : zero
  var b1 = adding ? load(g, 24) : zero
  var a2 = adding ? load(g, 32) : zero
  var b2 = adding ? load(g, 40) : zero
  var a3 = adding ? load(g, 48) : zero
  var b3 = adding ? load(g, 56) : zero
  var t = 0
  while t < tiles {
    let d0 = load(d, t * o)
    let d1 = load(d, t * o + 8)
    let row = v + t * c
    var x = broadcast(row[0])
    a0.addProduct(x, d0)
    b0.addProduct(x, d1)
    x = broadcast(row[1])
    a1.addProduct(x, d0)
    b1.addProduct(x, d1)
    x = broadcast(row[2])
    a2.addProduct(x, d0)
    b2.addProduct(x, d1)
    x = broadcast(row[3])
    a3.addProduct(x, d0)
    b3.addProduct(x, d1)
    t += 1
  }
  store(a0, g, 0)
  store(b0, g, 8)
  store(a1, g, 16)
  store(b1, g, 24)
  store(a2, g, 32)
  store(b2, g, 40)
  store(a3, g, 48)
  store(b3, g, 56)
}
