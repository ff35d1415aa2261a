// Winograd's F(4x4, 3x3): the transform of the output's gradients, D = A dY Aᵀ for each tile of 4x4, for the
// gradient of the weights. See WinogradInputTransform.swift for source and points.
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

/// sum + vector · factor, rounded once.
@inline(__always)
private func addingProduct(_ sum: Vector, _ vector: Vector, _ factor: Float) -> Vector {
  dtrain_add_product(sum, vector, Vector(repeating: factor))
}

private let a: Float = 0.70710678118654752
private let b: Float = 1.4142135623730951

/// A times a column of four.
@inline(__always)
private func transformed(
  _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let e = addingProduct(y0, y2, 0.5)
  let o = addingProduct(y1, y3, 0.5)
  let f = addingProduct(y0, y2, 2)
  let p = addingProduct(y1, y3, 2)
  return (
    y0,
    addingProduct(e, o, a),
    addingProduct(e, o, -a),
    addingProduct(f, p, b),
    addingProduct(f, p, -b),
    y3
  )
}

/// Transforms all tiles of one image, and adds up the gradient of the bias on the way.
///
/// - Parameters:
///   - plane: `rows` and `columns` count from `source`.
///   - source: the first pixel of the output's gradient.
///   - destination: [36][tile][channels], at this image's first tile; zeros for channels that do not exist.
///   - channels: distance between two tiles in `destination`.
///   - frequencyStride: distance between two frequencies there.
///   - biasGradient: `channelBlocks · 8` sums over the pixels, to which this image's are added.
///   - scratch: `WinogradPlane.scratchCount` floats.
///   - zeroRow: `WinogradPlane.zeroRowCount` zeros.
public func winogradGradientTransform(
  _ plane: WinogradPlane, source: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, channels: Int,
  frequencyStride: Int, biasGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
  zeroRow: UnsafePointer<Float>
) {
  let width = 4 * plane.tileColumns
  let lanes = Vector.scalarCount
  let rowStride = width * lanes
  let columns = min(width, plane.columns)
  let sums = scratch + WinogradPlane.rowScratchVectors(tileColumns: plane.tileColumns) * lanes
  for row in 0..<6 {
    for column in columns..<max(width, columns) {
      store(Vector(repeating: 0), scratch, row * rowStride + column * lanes)
    }
  }
  // Blocks inside rows of tiles: a cache line of the destination is filled while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in stride(from: 0, to: plane.channelBlocks, by: lanes / 8) {
      let image = source + block * plane.blockStride
      var sum = tileRow == 0 ? Vector(repeating: 0) : load(sums, block * 8)
      @inline(__always)
      func row(_ index: Int) -> UnsafePointer<Float> {
        let y = tileRow * 4 + index
        return y < plane.rows ? image + y * plane.rowStride : zeroRow
      }
      @inline(__always)
      func pixel(_ row: UnsafePointer<Float>, _ column: Int) -> Vector {
        loadBlocks(row, column * 8, plane.blockStride)
      }
      let (s0, s1, s2, s3) = (row(0), row(1), row(2), row(3))
      var x = 0
      while x < columns {
        let y0 = pixel(s0, x)
        let y1 = pixel(s1, x)
        let y2 = pixel(s2, x)
        let y3 = pixel(s3, x)
        sum += (y0 + y1) + (y2 + y3)
        let r = transformed(y0, y1, y2, y3)
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
          let r = transformed(load(d, 0), load(d, lanes), load(d, 2 * lanes), load(d, 3 * lanes))
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
      store(sum, sums, block * 8)
    }
    // Only where a block of 16 output channels has one block of 8, and so never in pairs.
    for channel in stride(from: plane.channelBlocks * 8, to: channels, by: lanes) {
      let tile = destination + tileRow * plane.tileColumns * channels + channel
      for frequency in 0..<36 {
        for tileColumn in 0..<plane.tileColumns {
          store(Vector(repeating: 0), tile, frequency * frequencyStride + tileColumn * channels)
        }
      }
    }
  }
  for block in stride(from: 0, to: plane.channelBlocks, by: lanes / 8) {
    store(load(biasGradient, block * 8) + load(sums, block * 8), biasGradient, block * 8)
  }
}
