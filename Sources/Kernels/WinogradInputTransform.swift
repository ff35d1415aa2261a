// Winograd's F(4x4, 3x3): the transform of the inputs, V = Bᵀ d B for each tile of 6x6.
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), with the interpolation points
// (0, ±1/√2, ±√2, ∞) instead of the usual (0, ±1, ±2, ∞): the error of a convolution is about a quarter of theirs.
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

/// A vector of the blocked activations: one block of 8 channels, or the same pixel of two blocks.
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

/// sum + vector · factor, rounded once.
@inline(__always)
private func addingProduct(_ sum: Vector, _ vector: Vector, _ factor: Float) -> Vector {
  #if WIDE_VECTORS
    return dtrain_add_product16(sum, vector, Vector(repeating: factor))
  #else
    return dtrain_add_product8(sum, vector, Vector(repeating: factor))
  #endif
}

private let a: Float = 0.70710678118654752
private let b: Float = 1.4142135623730951

/// Bᵀ times a column of six: rows 1 and 2 for the points ±a, 3 and 4 for ±b. a² = 1/2, b² = 2, a² b² = 1.
@inline(__always)
private func transformed(
  _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let p = addingProduct(d4, d2, -2)
  let q = addingProduct(d3, d1, -2)
  let s = addingProduct(d4, d2, -0.5)
  let u = addingProduct(d3, d1, -0.5)
  return (
    addingProduct(d0 + d4, d2, -2.5),
    addingProduct(p, q, a),
    addingProduct(p, q, -a),
    addingProduct(s, u, b),
    addingProduct(s, u, -b),
    addingProduct(d1 + d5, d3, -2.5)
  )
}

/// Transforms all tiles of one image.
///
/// - Parameters:
///   - plane: `rows` and `columns` count from `source`.
///   - source: the corner of the padded image.
///   - destination: [36][tile][channels], at this image's first tile.
///   - channels: distance between two tiles in `destination`.
///   - frequencyStride: distance between two frequencies there.
///   - scratch: `WinogradPlane.scratchCount` floats.
///   - zeroRow: `WinogradPlane.zeroRowCount` zeros.
public func winogradInputTransform(
  _ plane: WinogradPlane, source: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, channels: Int,
  frequencyStride: Int, scratch: UnsafeMutablePointer<Float>, zeroRow: UnsafePointer<Float>
) {
  let width = 4 * plane.tileColumns + 2
  let lanes = Vector.scalarCount
  let rowStride = width * lanes
  let columns = min(width, plane.columns)
  for row in 0..<6 {
    for column in columns..<max(width, columns) {
      store(Vector(repeating: 0), scratch, row * rowStride + column * lanes)
    }
  }
  // Blocks inside rows of tiles: a cache line of the destination is filled while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in stride(from: 0, to: plane.channelBlocks, by: lanes / 8) {
      let image = source + block * plane.blockStride
      @inline(__always)
      func row(_ index: Int) -> UnsafePointer<Float> {
        let y = tileRow * 4 + index
        return y < plane.rows ? image + y * plane.rowStride : zeroRow
      }
      @inline(__always)
      func pixel(_ row: UnsafePointer<Float>, _ column: Int) -> Vector {
        loadBlocks(row, column * 8, plane.blockStride)
      }
      let (s0, s1, s2, s3, s4, s5) = (row(0), row(1), row(2), row(3), row(4), row(5))
      var x = 0
      while x < columns {
        let r = transformed(pixel(s0, x), pixel(s1, x), pixel(s2, x), pixel(s3, x), pixel(s4, x), pixel(s5, x))
        let column = scratch + x * lanes
        store(r.0, column, 0)
        store(r.1, column, rowStride)
        store(r.2, column, 2 * rowStride)
        store(r.3, column, 3 * rowStride)
        store(r.4, column, 4 * rowStride)
        store(r.5, column, 5 * rowStride)
        x += 1
      }
      var tile = destination + tileRow * plane.tileColumns * channels + block * 8
      for tileColumn in 0..<plane.tileColumns {
        var d = UnsafePointer(scratch) + tileColumn * 4 * lanes
        var v = tile
        for _ in 0..<6 {
          let r = transformed(
            load(d, 0), load(d, lanes), load(d, 2 * lanes), load(d, 3 * lanes), load(d, 4 * lanes), load(d, 5 * lanes))
          store(r.0, v, 0)
          store(r.1, v, frequencyStride)
          store(r.2, v, 2 * frequencyStride)
          store(r.3, v, 3 * frequencyStride)
          store(r.4, v, 4 * frequencyStride)
          store(r.5, v, 5 * frequencyStride)
          d += rowStride
          v += 6 * frequencyStride
        }
        tile += channels
      }
    }
  }
}
