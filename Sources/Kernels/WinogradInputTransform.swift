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
private func loadBlocks(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ offset: Int) -> Vector {
  #if WIDE_VECTORS
    return Vector(
      lowHalf: UnsafeRawPointer(first + offset).loadUnaligned(as: SIMD8<Float>.self),
      highHalf: UnsafeRawPointer(second + offset).loadUnaligned(as: SIMD8<Float>.self))
  #else
    return load(first, offset)
  #endif
}

/// sum + vector · factor, rounded once.
@inline(__always)
private func addingProduct(_ sum: Vector, _ vector: Vector, _ factor: Float) -> Vector {
  dtrain_add_product(sum, vector, Vector(repeating: factor))
}

@inline(__always) private func + (a: Vector, b: Vector) -> Vector { dtrain_sum(a, b) }

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
  let columns = min(width, plane.columns)
  // In scratch are the columns of a row of tiles, six vectors each, so that all distances are known to the compiler. Those
  // beyond the image are zero.
  for vector in columns * 6..<width * 6 { store(Vector(repeating: 0), scratch, vector * lanes) }
  // Blocks inside rows of tiles: a cache line of the destination is filled while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in stride(from: 0, to: plane.channelBlocks, by: lanes / 8) {
      let corner = source + block * plane.blockStride + tileRow * 4 * plane.rowStride
      if tileRow * 4 + 6 <= plane.rows {
        let stride = plane.rowStride
        var (first, second) = (corner, corner + plane.blockStride)
        var column = scratch
        for _ in 0..<columns {
          let r = transformed(
            loadBlocks(first, second, 0), loadBlocks(first, second, stride), loadBlocks(first, second, 2 * stride),
            loadBlocks(first, second, 3 * stride), loadBlocks(first, second, 4 * stride),
            loadBlocks(first, second, 5 * stride))
          store(r, column, apart: lanes)
          first += 8
          second += 8
          column += 6 * lanes
        }
      } else {
        @inline(__always)
        func pixel(_ row: Int, _ column: Int) -> Vector {
          let start = tileRow * 4 + row < plane.rows ? corner + row * plane.rowStride : zeroRow
          return loadBlocks(start, start + plane.blockStride, column * 8)
        }
        for x in 0..<columns {
          let r = transformed(pixel(0, x), pixel(1, x), pixel(2, x), pixel(3, x), pixel(4, x), pixel(5, x))
          store(r, scratch + x * 6 * lanes, apart: lanes)
        }
      }
      var tile = destination + tileRow * plane.tileColumns * channels + block * 8
      for tileColumn in 0..<plane.tileColumns {
        let d = UnsafePointer(scratch) + tileColumn * 24 * lanes
        @inline(__always)
        func row(_ k: Int) {
          let (d, v) = (d + k * lanes, tile + 6 * k * frequencyStride)
          let r = transformed(
            load(d, 0), load(d, 6 * lanes), load(d, 12 * lanes), load(d, 18 * lanes), load(d, 24 * lanes),
            load(d, 30 * lanes))
          store(r, v, apart: frequencyStride)
        }
        // Written out: as a loop it takes up to a tenth longer.
        row(0)
        row(1)
        row(2)
        row(3)
        row(4)
        row(5)
        tile += channels
      }
    }
  }
}
