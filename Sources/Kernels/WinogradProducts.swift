// The 36 matrix products of Winograd's F(4x4, 3x3), one for each frequency of the transformed domain.
//
// Transformed activations lie as [frequency][tile][channel], transformed weights as
// [frequency][block of 16 output channels][input channel][16]. A register tile is 6 (or 5, 4, …) tiles by two
// vectors of 8 output channels, which keeps 12 accumulators busy. Each element is a sum over the input channels in
// their order, whatever the register tile, so its bits depend on nothing but its own operands.

/// Sizes and strides of a Winograd product, in floats.
public struct WinogradProductShape: Sendable {
  /// Tiles of all images together.
  public let tiles: Int
  /// Input channels, a multiple of 8.
  public let inputChannels: Int
  /// Output channels, a multiple of 16.
  public let outputChannels: Int

  public init(tiles: Int, inputChannels: Int, outputChannels: Int) {
    self.tiles = tiles
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
  }

  /// Distance between two frequencies of the transformed inputs. The 64 bytes more than needed keep the frequencies
  /// from competing for the same cache sets.
  @inlinable public var inputStride: Int { tiles * inputChannels + 16 }
  /// Distance between two frequencies of the products, and of the transformed gradients.
  @inlinable public var outputStride: Int { tiles * outputChannels + 16 }
  /// Distance between two frequencies of the transformed weights.
  @inlinable public var weightStride: Int { inputChannels * outputChannels + 16 }
}

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

@inline(__always)
private func broadcast(_ value: Float) -> Vector { Vector(repeating: value) }

/// products[f][tile][o] = sum over c of inputs[f][tile][c] · weights[f][o][c], for all 36 frequencies.
///
/// - Parameters:
///   - inputs: [36][tiles][inputChannels], frequencies `inputStride` apart.
///   - weights: [36][outputChannels / 16][inputChannels][16], frequencies `weightStride` apart.
///   - products: [36][tiles][outputChannels], frequencies `outputStride` apart.
///
/// Error of an element: at most inputChannels · 2^-24 · sum of |input · weight|, one rounding a term.
public func winogradProduct(
  _ shape: WinogradProductShape, inputs: UnsafePointer<Float>, weights: UnsafePointer<Float>,
  products: UnsafeMutablePointer<Float>
) {
  switch (shape.inputChannels, shape.outputChannels) {
  case (16, 16): Channels<16, 16>.product(shape, inputs, weights, products)
  case (16, 32): Channels<16, 32>.product(shape, inputs, weights, products)
  case (32, 16): Channels<32, 16>.product(shape, inputs, weights, products)
  case (32, 32): Channels<32, 32>.product(shape, inputs, weights, products)
  case (32, 64): Channels<32, 64>.product(shape, inputs, weights, products)
  case (64, 32): Channels<64, 32>.product(shape, inputs, weights, products)
  case (64, 64): Channels<64, 64>.product(shape, inputs, weights, products)
  default: product(shape, shape.inputChannels, shape.outputChannels, inputs, weights, products)
  }
}

/// The product for channels that are known beforehand. The strides as constants let the compiler address a register tile
/// from one base: 23 instructions for 12 multiplications instead of 28.
private enum Channels<let inputCount: Int, let outputCount: Int> {
  // A function of its own for each pair: the compiler does not inline so long a one often.
  @inline(never)
  static func product(
    _ shape: WinogradProductShape, _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ products: UnsafeMutablePointer<Float>
  ) {
    Kernels.product(shape, inputCount, outputCount, inputs, weights, products)
  }
}

@inline(__always)
private func product(
  _ shape: WinogradProductShape, _ inputChannels: Int, _ outputChannels: Int, _ inputs: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>, _ products: UnsafeMutablePointer<Float>
) {
  let tiles = shape.tiles
  // As many register tiles of 5 as make the rest a multiple of 6: a smaller tile leaves multipliers idle.
  var fives = (6 - tiles % 6) % 6
  if 5 * fives > tiles { fives = 0 }
  let sixesEnd = tiles - 5 * fives
  for frequency in 0..<36 {
    let input = inputs + frequency * shape.inputStride
    let output = products + frequency * shape.outputStride
    for block in 0..<(outputChannels / 16) {
      let weight = weights + frequency * shape.weightStride + block * inputChannels * 16
      let column = output + block * 16
      var tile = 0
      while tile + 6 <= sixesEnd {
        sixTiles(input + tile * inputChannels, inputChannels, weight, column + tile * outputChannels, outputChannels)
        tile += 6
      }
      while tile + 5 <= tiles {
        fiveTiles(input + tile * inputChannels, inputChannels, weight, column + tile * outputChannels, outputChannels)
        tile += 5
      }
      while tile + 4 <= tiles {
        fourTiles(input + tile * inputChannels, inputChannels, weight, column + tile * outputChannels, outputChannels)
        tile += 4
      }
      while tile < tiles {
        oneTile(input + tile * inputChannels, inputChannels, weight, column + tile * outputChannels, outputChannels)
        tile += 1
      }
    }
  }
}

@inline(__always)
private func sixTiles(
  _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ o: Int
) {
  var w0 = load(u, 0)
  var w1 = load(u, 8)
  var x = broadcast(v[0])
  var a0 = x * w0
  var b0 = x * w1
  x = broadcast(v[c])
  var a1 = x * w0
  var b1 = x * w1
  x = broadcast(v[2 * c])
  var a2 = x * w0
  var b2 = x * w1
  x = broadcast(v[3 * c])
  var a3 = x * w0
  var b3 = x * w1
  x = broadcast(v[4 * c])
  var a4 = x * w0
  var b4 = x * w1
  x = broadcast(v[5 * c])
  var a5 = x * w0
  var b5 = x * w1
  var k = 1
  while k < c {
    w0 = load(u, 16 * k)
    w1 = load(u, 16 * k + 8)
    x = broadcast(v[k])
    a0.addProduct(x, w0)
    b0.addProduct(x, w1)
    x = broadcast(v[c + k])
    a1.addProduct(x, w0)
    b1.addProduct(x, w1)
    x = broadcast(v[2 * c + k])
    a2.addProduct(x, w0)
    b2.addProduct(x, w1)
    x = broadcast(v[3 * c + k])
    a3.addProduct(x, w0)
    b3.addProduct(x, w1)
    x = broadcast(v[4 * c + k])
    a4.addProduct(x, w0)
    b4.addProduct(x, w1)
    x = broadcast(v[5 * c + k])
    a5.addProduct(x, w0)
    b5.addProduct(x, w1)
    k += 1
  }
  store(a0, m, 0)
  store(b0, m, 8)
  store(a1, m, o)
  store(b1, m, o + 8)
  store(a2, m, 2 * o)
  store(b2, m, 2 * o + 8)
  store(a3, m, 3 * o)
  store(b3, m, 3 * o + 8)
  store(a4, m, 4 * o)
  store(b4, m, 4 * o + 8)
  store(a5, m, 5 * o)
  store(b5, m, 5 * o + 8)
}

@inline(__always)
private func fiveTiles(
  _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ o: Int
) {
  var w0 = load(u, 0)
  var w1 = load(u, 8)
  var x = broadcast(v[0])
  var a0 = x * w0
  var b0 = x * w1
  x = broadcast(v[c])
  var a1 = x * w0
  var b1 = x * w1
  x = broadcast(v[2 * c])
  var a2 = x * w0
  var b2 = x * w1
  x = broadcast(v[3 * c])
  var a3 = x * w0
  var b3 = x * w1
  x = broadcast(v[4 * c])
  var a4 = x * w0
  var b4 = x * w1
  var k = 1
  while k < c {
    w0 = load(u, 16 * k)
    w1 = load(u, 16 * k + 8)
    x = broadcast(v[k])
    a0.addProduct(x, w0)
    b0.addProduct(x, w1)
    x = broadcast(v[c + k])
    a1.addProduct(x, w0)
    b1.addProduct(x, w1)
    x = broadcast(v[2 * c + k])
    a2.addProduct(x, w0)
    b2.addProduct(x, w1)
    x = broadcast(v[3 * c + k])
    a3.addProduct(x, w0)
    b3.addProduct(x, w1)
    x = broadcast(v[4 * c + k])
    a4.addProduct(x, w0)
    b4.addProduct(x, w1)
    k += 1
  }
  store(a0, m, 0)
  store(b0, m, 8)
  store(a1, m, o)
  store(b1, m, o + 8)
  store(a2, m, 2 * o)
  store(b2, m, 2 * o + 8)
  store(a3, m, 3 * o)
  store(b3, m, 3 * o + 8)
  store(a4, m, 4 * o)
  store(b4, m, 4 * o + 8)
}

@inline(__always)
private func fourTiles(
  _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ o: Int
) {
  var w0 = load(u, 0)
  var w1 = load(u, 8)
  var x = broadcast(v[0])
  var a0 = x * w0
  var b0 = x * w1
  x = broadcast(v[c])
  var a1 = x * w0
  var b1 = x * w1
  x = broadcast(v[2 * c])
  var a2 = x * w0
  var b2 = x * w1
  x = broadcast(v[3 * c])
  var a3 = x * w0
  var b3 = x * w1
  var k = 1
  while k < c {
    w0 = load(u, 16 * k)
    w1 = load(u, 16 * k + 8)
    x = broadcast(v[k])
    a0.addProduct(x, w0)
    b0.addProduct(x, w1)
    x = broadcast(v[c + k])
    a1.addProduct(x, w0)
    b1.addProduct(x, w1)
    x = broadcast(v[2 * c + k])
    a2.addProduct(x, w0)
    b2.addProduct(x, w1)
    x = broadcast(v[3 * c + k])
    a3.addProduct(x, w0)
    b3.addProduct(x, w1)
    k += 1
  }
  store(a0, m, 0)
  store(b0, m, 8)
  store(a1, m, o)
  store(b1, m, o + 8)
  store(a2, m, 2 * o)
  store(b2, m, 2 * o + 8)
  store(a3, m, 3 * o)
  store(b3, m, 3 * o + 8)
}

@inline(__always)
private func oneTile(
  _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ o: Int
) {
  var x = broadcast(v[0])
  var a0 = x * load(u, 0)
  var b0 = x * load(u, 8)
  var k = 1
  while k < c {
    x = broadcast(v[k])
    a0.addProduct(x, load(u, 16 * k))
    b0.addProduct(x, load(u, 16 * k + 8))
    k += 1
  }
  store(a0, m, 0)
  store(b0, m, 8)
}
