// Winograd's F(4x4, 3x3): the transform of the output's gradients, D = A dY Aᵀ for each tile of 4x4, for the
// gradient of the weights. See WinogradInputTransform.swift for source and points.

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

/// A times a column of four.
@inline(__always)
private func transformed(
  _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let e = y0.addingProduct(y2, Vector(repeating: 0.5))
  let o = y1.addingProduct(y3, Vector(repeating: 0.5))
  let f = y0.addingProduct(y2, Vector(repeating: 2))
  let p = y1.addingProduct(y3, Vector(repeating: 2))
  return (
    y0,
    e.addingProduct(o, Vector(repeating: a)),
    e.addingProduct(o, Vector(repeating: -a)),
    f.addingProduct(p, Vector(repeating: b)),
    f.addingProduct(p, Vector(repeating: -b)),
    y3
  )
}

/// Transforms all tiles of one image, and adds up the gradient of the bias on the way.
///
/// - Parameters:
///   - plane: `rows` and `columns` count from `source`.
///   - source: the first pixel of the output's gradient.
///   - destination: [36][tile][channels], at this image's first tile.
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
  let rowStride = width * 8
  let columns = min(width, plane.columns)
  let sums = scratch + WinogradPlane.rowScratchVectors(tileColumns: plane.tileColumns) * 8
  for row in 0..<6 {
    for column in columns..<max(width, columns) {
      store(Vector(repeating: 0), scratch, row * rowStride + column * 8)
    }
  }
  // Blocks inside rows of tiles: a cache line of the destination is filled while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in 0..<plane.channelBlocks {
      let image = source + block * plane.blockStride
      var sum = tileRow == 0 ? Vector(repeating: 0) : load(sums, block * 8)
      @inline(__always)
      func row(_ index: Int) -> UnsafePointer<Float> {
        let y = tileRow * 4 + index
        return y < plane.rows ? image + y * plane.rowStride : zeroRow
      }
      let (s0, s1, s2, s3) = (row(0), row(1), row(2), row(3))
      var x = 0
      while x < columns * 8 {
        let y0 = load(s0, x)
        let y1 = load(s1, x)
        let y2 = load(s2, x)
        let y3 = load(s3, x)
        sum += (y0 + y1) + (y2 + y3)
        let r = transformed(y0, y1, y2, y3)
        store(r.0, scratch, x)
        store(r.1, scratch, rowStride + x)
        store(r.2, scratch, 2 * rowStride + x)
        store(r.3, scratch, 3 * rowStride + x)
        store(r.4, scratch, 4 * rowStride + x)
        store(r.5, scratch, 5 * rowStride + x)
        x += 8
      }
      var tile = destination + tileRow * plane.tileColumns * channels + block * 8
      for tileColumn in 0..<plane.tileColumns {
        var d = UnsafePointer(scratch) + tileColumn * 32
        var v = tile
        for _ in 0..<6 {
          let r = transformed(load(d, 0), load(d, 8), load(d, 16), load(d, 24))
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
  }
  for block in 0..<plane.channelBlocks {
    store(load(biasGradient, block * 8) + load(sums, block * 8), biasGradient, block * 8)
  }
}
