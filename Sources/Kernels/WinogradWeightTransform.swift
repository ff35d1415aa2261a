// Winograd's F(4x4, 3x3): the weights into the transformed domain, U = G g Gᵀ, and their gradient back,
// dg = Gᵀ dU G. See WinogradInputTransform.swift for source and points.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512, where a vector is a pixel of
// two blocks of channels.

import CVectors

#if WIDE_VECTORS
  import Kernels

  private typealias Vector = SIMD16<Float>
#else
  private typealias Vector = SIMD8<Float>
#endif

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

/// A vector of blocked activations: one block of 8 channels, or the same pixel of two blocks.
@inline(__always)
private func loadBlocks(_ pointer: UnsafePointer<Float>, _ offset: Int, _ blockStride: Int) -> Vector {
  #if WIDE_VECTORS
    let first = UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Float>.self)
    let second = UnsafeRawPointer(pointer + offset + blockStride).loadUnaligned(as: SIMD8<Float>.self)
    return Vector(lowHalf: first, highHalf: second)
  #else
    return load(pointer, offset)
  #endif
}

@inline(__always)
private func storeBlocks(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int, _ blockStride: Int) {
  #if WIDE_VECTORS
    let target = UnsafeMutableRawPointer(pointer + offset)
    target.storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
    (target + 4 * blockStride).storeBytes(of: value.highHalf, as: SIMD8<Float>.self)
  #else
    store(value, pointer, offset)
  #endif
}

/// sum + vector · factor, rounded once.
@inline(__always)
private func addingProduct(_ sum: Vector, _ vector: Vector, _ factor: Float) -> Vector {
  dtrain_add_product(sum, vector, Vector(repeating: factor))
}

@inline(__always) private func + (a: Vector, b: Vector) -> Vector { dtrain_sum(a, b) }
@inline(__always) private func - (a: Vector, b: Vector) -> Vector { dtrain_difference(a, b) }
@inline(__always) private func * (a: Vector, b: Vector) -> Vector { dtrain_product(a, b) }

private let a: Float = 0.70710678118654752
private let b: Float = 1.4142135623730951

/// G times a column of three. With ka = 1 / (2 a² (a² − b²)) = −2/3 and kb = 1 / (2 b² (b² − a²)) = 1/6.
@inline(__always)
private func transformed(
  _ g0: Vector, _ g1: Vector, _ g2: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let e = addingProduct(g0, g2, 0.5) * Vector(repeating: -2 / 3)
  let f = addingProduct(g0, g2, 2) * Vector(repeating: 1 / 6)
  return (
    g0,
    addingProduct(e, g1, a * (-2 / 3)),
    addingProduct(e, g1, a * (2 / 3)),
    addingProduct(f, g1, b / 6),
    addingProduct(f, g1, -b / 6),
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
    addingProduct(addingProduct(r5, sa, 0.5), sb, 2)
  )
}

/// Six vectors, `distance` floats apart.
@inline(__always)
private func store(
  _ six: (Vector, Vector, Vector, Vector, Vector, Vector), _ pointer: UnsafeMutablePointer<Float>, apart distance: Int
) {
  store(six.0, pointer, 0)
  store(six.1, pointer, distance)
  store(six.2, pointer, 2 * distance)
  store(six.3, pointer, 3 * distance)
  store(six.4, pointer, 4 * distance)
  store(six.5, pointer, 5 * distance)
}

/// Transforms all filters.
///
/// - Parameters:
///   - panels: [outputBlocks][inputChannels][9][8].
///   - paddedInputChannels: `inputChannels` rounded up to whole blocks.
///   - outputBlocks: blocks of 8 output channels; the transformed weights have one more where this is odd.
///   - weights: [36][⌈outputBlocks / 2⌉][paddedInputChannels][16], frequencies `frequencyStride` apart. What is there
///     for channels that do not exist is not written.
public func winogradWeightTransform(
  panels: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, outputBlocks: Int,
  weights: UnsafeMutablePointer<Float>, frequencyStride: Int
) {
  let lanes = Vector.scalarCount
  let panelStride = inputChannels * 72
  var scratch = InlineArray<18, Vector>(repeating: Vector(repeating: 0))
  for block in stride(from: 0, to: outputBlocks, by: lanes / 8) {
    for channel in 0..<inputChannels {
      let g = panels + block * panelStride + channel * 72
      let u = weights + ((block / 2) * paddedInputChannels + channel) * 16 + (block % 2) * 8
      for j in 0..<3 {
        let r = transformed(
          loadBlocks(g, 8 * j, panelStride), loadBlocks(g, 24 + 8 * j, panelStride),
          loadBlocks(g, 48 + 8 * j, panelStride))
        scratch[j] = r.0
        scratch[3 + j] = r.1
        scratch[6 + j] = r.2
        scratch[9 + j] = r.3
        scratch[12 + j] = r.4
        scratch[15 + j] = r.5
      }
      for i in 0..<6 {
        let r = transformed(scratch[3 * i], scratch[3 * i + 1], scratch[3 * i + 2])
        let row = u + 6 * i * frequencyStride
        store(r, row, apart: frequencyStride)
      }
    }
  }
}

/// Transforms the gradient of all filters back, 16 filters by 16 input channels at a time, and transposes it while it is in
/// the nearest cache.
///
/// - Parameters:
///   - gradients: [36][⌈filters / 16⌉][paddedInputChannels][16], frequencies `frequencyStride` apart.
///   - panels: `winogradGradientPanelCount` floats.
///   - matrix: [filters][inputChannels][9], written over; filters `rowStride` floats apart.
public func winogradWeightGradientTransform(
  gradients: UnsafePointer<Float>, inputChannels: Int, paddedInputChannels: Int, filters: Int, frequencyStride: Int,
  panels: UnsafeMutablePointer<Float>, matrix: UnsafeMutablePointer<Float>, rowStride: Int
) {
  for filter in stride(from: 0, to: filters, by: 16) {
    for channel in stride(from: 0, to: inputChannels, by: 16) {
      let (presentFilters, presentChannels) = (min(16, filters - filter), min(16, inputChannels - channel))
      transformBack(
        gradients + filter * paddedInputChannels + channel * 16, presentChannels, (presentFilters + 7) / 8,
        frequencyStride, panels)
      unpackRows(
        panels, panelStride: winogradGradientPanelStride, rows: presentFilters, columns: presentChannels * 9,
        matrix: matrix + filter * rowStride + channel * 9, rowStride: rowStride)
    }
  }
}

/// At most 16 input channels by two blocks of 8 filters, to panels [block][channel][9][8].
@inline(__always)
private func transformBack(
  _ gradients: UnsafePointer<Float>, _ channels: Int, _ blocks: Int, _ frequencyStride: Int,
  _ panels: UnsafeMutablePointer<Float>
) {
  var scratch = InlineArray<18, Vector>(repeating: Vector(repeating: 0))
  for block in stride(from: 0, to: blocks, by: Vector.scalarCount / 8) {
    for channel in 0..<channels {
      let u = gradients + channel * 16 + block * 8
      let g = panels + block * winogradGradientPanelStride + channel * 72
      for j in 0..<6 {
        let m = u + j * frequencyStride
        let r = transformedBack(
          load(m, 0), load(m, 6 * frequencyStride), load(m, 12 * frequencyStride), load(m, 18 * frequencyStride),
          load(m, 24 * frequencyStride), load(m, 30 * frequencyStride))
        scratch[j] = r.0
        scratch[6 + j] = r.1
        scratch[12 + j] = r.2
      }
      for i in 0..<3 {
        let t = 6 * i
        let r = transformedBack(
          scratch[t], scratch[t + 1], scratch[t + 2], scratch[t + 3], scratch[t + 4], scratch[t + 5])
        storeBlocks(r.0, g, 24 * i, winogradGradientPanelStride)
        storeBlocks(r.1, g, 24 * i + 8, winogradGradientPanelStride)
        storeBlocks(r.2, g, 24 * i + 16, winogradGradientPanelStride)
      }
    }
  }
}
