// The 36 matrix products of Winograd's F(4x4, 3x3), one for each frequency of the transformed domain.
//
// Transformed activations lie as [frequency][tile][channel], transformed weights as
// [frequency][block of 16 output channels][input channel][16]. A register tile is some tiles by one or two vectors of
// output channels. Each element is a sum over the input channels in their order, whatever the register tile and the
// width of a vector, so its bits depend on nothing but its own operands.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512.

#if WIDE_VECTORS
  import Kernels

  private typealias Vector = SIMD16<Float>
  // 20 accumulators of the 32 registers: the compiler does not unroll loops over more than 10.
  private let tilesByTwo = 10
#else
  private typealias Vector = SIMD8<Float>
  // 12 accumulators, two vectors of weights and one of inputs of the 16 registers.
  private let tilesByTwo = 6
#endif

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

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
  default:
    byTwo(shape, shape.inputChannels, shape.outputChannels, inputs, weights, products)
    lastByOne(shape, shape.inputChannels, shape.outputChannels, inputs, weights, products)
  }
}

/// The product for channels that are known beforehand. The strides as constants let the compiler address a register tile
/// from one base: 23 instructions for 12 multiplications instead of 28.
private enum Channels<let inputCount: Int, let outputCount: Int> {
  @inline(__always)
  static func product(
    _ shape: WinogradProductShape, _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ products: UnsafeMutablePointer<Float>
  ) {
    if outputCount >= 2 * Vector.scalarCount { two(shape, inputs, weights, products) }
    if outputCount % (2 * Vector.scalarCount) != 0 { one(shape, inputs, weights, products) }
  }

  // Functions of their own for each pair: the compiler does not inline so long a one often.
  @inline(never)
  private static func two(
    _ shape: WinogradProductShape, _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ products: UnsafeMutablePointer<Float>
  ) {
    byTwo(shape, inputCount, outputCount, inputs, weights, products)
  }

  @inline(never)
  private static func one(
    _ shape: WinogradProductShape, _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ products: UnsafeMutablePointer<Float>
  ) {
    lastByOne(shape, inputCount, outputCount, inputs, weights, products)
  }
}

/// All output channels that make whole pairs of vectors.
@inline(__always)
private func byTwo(
  _ shape: WinogradProductShape, _ c: Int, _ o: Int, _ inputs: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>, _ products: UnsafeMutablePointer<Float>
) {
  let width = 2 * Vector.scalarCount
  for frequency in 0..<36 {
    let input = inputs + frequency * shape.inputStride
    let weight = weights + frequency * shape.weightStride
    let output = products + frequency * shape.outputStride
    for channel in stride(from: 0, to: o / width * width, by: width) {
      twoVectors(shape.tiles, input, c, weight + channel * c, output + channel, o)
    }
  }
}

/// The last 16 output channels, where pairs of vectors leave them over.
@inline(__always)
private func lastByOne(
  _ shape: WinogradProductShape, _ c: Int, _ o: Int, _ inputs: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>, _ products: UnsafeMutablePointer<Float>
) {
  #if WIDE_VECTORS
    guard o % 32 != 0 else { return }
    for frequency in 0..<36 {
      oneVector(
        shape.tiles, inputs + frequency * shape.inputStride, c,
        weights + frequency * shape.weightStride + (o - 16) * c,
        products + frequency * shape.outputStride + o - 16, o)
    }
  #endif
}

/// Splits the tiles evenly: a smaller register tile leaves multipliers idle.
@inline(__always)
private func forEachRegisterTile(_ tiles: Int, atMost limit: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
  let parts = (tiles + limit - 1) / limit
  let size = tiles / parts
  var first = 0
  for part in 0..<parts {
    let count = part < tiles - size * parts ? size + 1 : size
    body(first, count)
    first += count
  }
}

@inline(__always)
private func twoVectors(
  _ tiles: Int, _ input: UnsafePointer<Float>, _ c: Int, _ weight: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ o: Int
) {
  forEachRegisterTile(tiles, atMost: tilesByTwo) { first, count in
    let v = input + first * c
    let m = output + first * o
    let x = Vector(repeating: 0)
    switch count {
    case 1: byTwo(InlineArray<1, Vector>(repeating: x), v, c, weight, m, o)
    case 2: byTwo(InlineArray<2, Vector>(repeating: x), v, c, weight, m, o)
    case 3: byTwo(InlineArray<3, Vector>(repeating: x), v, c, weight, m, o)
    case 4: byTwo(InlineArray<4, Vector>(repeating: x), v, c, weight, m, o)
    case 5: byTwo(InlineArray<5, Vector>(repeating: x), v, c, weight, m, o)
    #if WIDE_VECTORS
      case 6: byTwo(InlineArray<6, Vector>(repeating: x), v, c, weight, m, o)
      case 7: byTwo(InlineArray<7, Vector>(repeating: x), v, c, weight, m, o)
      case 8: byTwo(InlineArray<8, Vector>(repeating: x), v, c, weight, m, o)
      case 9: byTwo(InlineArray<9, Vector>(repeating: x), v, c, weight, m, o)
      default: byTwo(InlineArray<10, Vector>(repeating: x), v, c, weight, m, o)
    #else
      default: byTwo(InlineArray<6, Vector>(repeating: x), v, c, weight, m, o)
    #endif
    }
  }
}

/// A register tile of `count` tiles by two vectors of output channels.
@inline(__always)
private func byTwo<let count: Int>(
  _ initial: InlineArray<count, Vector>, _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>,
  _ m: UnsafeMutablePointer<Float>, _ o: Int
) {
  let width = Vector.scalarCount
  // The second vector of weights: of the same block of 16 output channels or of the next.
  let second = width == 16 ? 16 * c : width
  var a = initial
  var b = initial
  var w0 = load(u, 0)
  var w1 = load(u, second)
  for i in 0..<count {
    let x = Vector(repeating: v[i * c])
    a[i] = x * w0
    b[i] = x * w1
  }
  var k = 1
  while k < c {
    w0 = load(u, 16 * k)
    w1 = load(u, second + 16 * k)
    for i in 0..<count {
      let x = Vector(repeating: v[i * c + k])
      a[i].addProduct(x, w0)
      b[i].addProduct(x, w1)
    }
    k += 1
  }
  for i in 0..<count {
    store(a[i], m, i * o)
    store(b[i], m, i * o + width)
  }
}

#if WIDE_VECTORS
  /// 16 output channels alone: inputs as operands in memory, so that one vector needs hardly more loads than
  /// multiplications.
  @inline(__always)
  private func oneVector(
    _ tiles: Int, _ input: UnsafePointer<Float>, _ c: Int, _ weight: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ o: Int
  ) {
    forEachRegisterTile(tiles, atMost: 16) { first, count in
      var v = input + first * c
      var m = output + first * o
      let x = Vector(repeating: 0)
      switch count {
      case 10: byOne(InlineArray<10, Vector>(repeating: x), v, c, weight, m, o)
      case 12: byOne(InlineArray<12, Vector>(repeating: x), v, c, weight, m, o)
      case 13: byOne(InlineArray<13, Vector>(repeating: x), v, c, weight, m, o)
      case 16: byOne(InlineArray<16, Vector>(repeating: x), v, c, weight, m, o)
      default:
        var left = count
        while left >= 8 {
          byOne(InlineArray<8, Vector>(repeating: x), v, c, weight, m, o)
          (v, m, left) = (v + 8 * c, m + 8 * o, left - 8)
        }
        while left > 0 {
          byOne(InlineArray<1, Vector>(repeating: x), v, c, weight, m, o)
          (v, m, left) = (v + c, m + o, left - 1)
        }
      }
    }
  }

  @inline(__always)
  private func byOne<let count: Int>(
    _ initial: InlineArray<count, Vector>, _ v: UnsafePointer<Float>, _ c: Int, _ u: UnsafePointer<Float>,
    _ m: UnsafeMutablePointer<Float>, _ o: Int
  ) {
    var a = initial
    var w = load(u, 0)
    for i in 0..<count { a[i] = Vector(repeating: v[i * c]) * w }
    var k = 1
    while k < c {
      w = load(u, 16 * k)
      for i in 0..<count { a[i].addProduct(Vector(repeating: v[i * c + k]), w) }
      k += 1
    }
    for i in 0..<count { store(a[i], m, i * o) }
  }
#endif
