// Winograd's F(4x4, 3x3): the weights into the transformed domain, U = G g Gᵀ, and their gradient back,
// dg = Gᵀ dU G. See WinogradInputTransform.swift for source and points.

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

private let a: Float = 0.70710678118654752
private let b: Float = 1.4142135623730951

/// G times a column of three. With ka = 1 / (2 a² (a² − b²)) = −2/3 and kb = 1 / (2 b² (b² − a²)) = 1/6.
@inline(__always)
private func transformed(
  _ g0: Vector, _ g1: Vector, _ g2: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let e = g0.addingProduct(g2, Vector(repeating: 0.5)) * Vector(repeating: -2 / 3)
  let f = g0.addingProduct(g2, Vector(repeating: 2)) * Vector(repeating: 1 / 6)
  return (
    g0,
    e.addingProduct(g1, Vector(repeating: a * (-2 / 3))),
    e.addingProduct(g1, Vector(repeating: a * (2 / 3))),
    f.addingProduct(g1, Vector(repeating: b / 6)),
    f.addingProduct(g1, Vector(repeating: -b / 6)),
    g2
  )
}

/// Gᵀ times a column of six.
@inline(__always)
private func transformedBack(
  _ r0: Vector, _ r1: Vector, _ r2: Vector, _ r3: Vector, _ r4: Vector, _ r5: Vector
) -> (Vector, Vector, Vector) {
  let sa = (r1 + r2) * Vector(repeating: -2 / 3)
  let da = (r1 - r2) * Vector(repeating: a * (-2 / 3))
  let sb = (r3 + r4) * Vector(repeating: 1 / 6)
  let db = (r3 - r4) * Vector(repeating: b / 6)
  return (
    r0 + (sa + sb),
    da + db,
    r5.addingProduct(sa, Vector(repeating: 0.5)).addingProduct(sb, Vector(repeating: 2))
  )
}

/// Transforms all filters.
///
/// - Parameters:
///   - panels: [outputBlocks][inputChannels][9][8].
///   - paddedInputChannels: `inputChannels` rounded up to whole blocks.
///   - outputBlocks: blocks of 8 output channels; the transformed weights have one more where this is odd.
///   - reversed: whether the taps are taken in reverse, as the gradient of the input needs them.
///   - weights: [36][⌈outputBlocks / 2⌉][paddedInputChannels][16], frequencies `frequencyStride` apart. What is there
///     for channels that do not exist is not written.
public func winogradWeightTransform(
  panels: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, outputBlocks: Int, reversed: Bool,
  weights: UnsafeMutablePointer<Float>, frequencyStride: Int
) {
  let first = reversed ? 64 : 0
  let next = reversed ? -8 : 8
  withScratch { scratch in
    for block in 0..<outputBlocks {
      for channel in 0..<inputChannels {
        let g = panels + (block * inputChannels + channel) * 72 + first
        let u = weights + ((block / 2) * paddedInputChannels + channel) * 16 + (block % 2) * 8
        for j in 0..<3 {
          let r = transformed(load(g, j * next), load(g, (3 + j) * next), load(g, (6 + j) * next))
          store(r.0, scratch, 8 * j)
          store(r.1, scratch, 24 + 8 * j)
          store(r.2, scratch, 48 + 8 * j)
          store(r.3, scratch, 72 + 8 * j)
          store(r.4, scratch, 96 + 8 * j)
          store(r.5, scratch, 120 + 8 * j)
        }
        for i in 0..<6 {
          let t = UnsafePointer(scratch) + 24 * i
          let r = transformed(load(t, 0), load(t, 8), load(t, 16))
          let row = u + 6 * i * frequencyStride
          store(r.0, row, 0)
          store(r.1, row, frequencyStride)
          store(r.2, row, 2 * frequencyStride)
          store(r.3, row, 3 * frequencyStride)
          store(r.4, row, 4 * frequencyStride)
          store(r.5, row, 5 * frequencyStride)
        }
      }
    }
  }
}

/// Transforms the gradient of all filters back.
///
/// - Parameters:
///   - gradients: [36][⌈outputBlocks / 2⌉][paddedInputChannels][16], frequencies `frequencyStride` apart.
///   - panels: [outputBlocks][inputChannels][9][8], written over; blocks `panelStride` floats apart.
public func winogradWeightGradientTransform(
  gradients: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, outputBlocks: Int,
  frequencyStride: Int, panels: UnsafeMutablePointer<Float>, panelStride: Int
) {
  withScratch { scratch in
    for block in 0..<outputBlocks {
      for channel in 0..<inputChannels {
        let u = gradients + ((block / 2) * paddedInputChannels + channel) * 16 + (block % 2) * 8
        let g = panels + block * panelStride + channel * 72
        for j in 0..<6 {
          let m = u + j * frequencyStride
          let r = transformedBack(
            load(m, 0), load(m, 6 * frequencyStride), load(m, 12 * frequencyStride), load(m, 18 * frequencyStride),
            load(m, 24 * frequencyStride), load(m, 30 * frequencyStride))
          store(r.0, scratch, 8 * j)
          store(r.1, scratch, 48 + 8 * j)
          store(r.2, scratch, 96 + 8 * j)
        }
        for i in 0..<3 {
          let t = UnsafePointer(scratch) + 48 * i
          let r = transformedBack(load(t, 0), load(t, 8), load(t, 16), load(t, 24), load(t, 32), load(t, 40))
          store(r.0, g, 24 * i)
          store(r.1, g, 24 * i + 8)
          store(r.2, g, 24 * i + 16)
        }
      }
    }
  }
}

/// Room for 18 vectors at the start of a cache line, on the stack: what asks for more than 16 bytes of alignment is
/// taken from the heap, once a call.
@inline(__always)
private func withScratch(_ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(byteCount: 18 * 32 + 48, alignment: 16) { memory in
    body(memory.baseAddress.unsafelyUnwrapped.alignedUp(toMultipleOf: 64).assumingMemoryBound(to: Float.self))
  }
}
