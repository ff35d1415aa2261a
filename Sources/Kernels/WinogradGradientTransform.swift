// Winograd's F(4x4, 3x3): the transform of the output's gradients, D = A dY Aᵀ for each tile of 4x4, for the
// gradient of the weights. See WinogradInputTransform.swift for source and points.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512, where a vector is a pixel of
// two blocks of channels.

import CVectors

#if WIDE_VECTORS
  import Kernels

  private typealias Vector = SIMD16<Float>
  private typealias Places = SIMD16<Int32>
#else
  private typealias Vector = SIMD8<Float>
  private typealias Places = SIMD8<Int32>
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
private func loadPlaces(_ pointer: UnsafePointer<Int32>, _ offset: Int, _ blockStride: Int) -> Places {
  #if WIDE_VECTORS
    return Places(
      lowHalf: UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Int32>.self),
      highHalf: UnsafeRawPointer(pointer + offset + blockStride).loadUnaligned(as: SIMD8<Int32>.self))
  #else
    return UnsafeRawPointer(pointer + offset).loadUnaligned(as: Places.self)
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

/// A column of four pixels, transformed to six rows of `scratch`. Returns their sum.
@inline(__always)
private func transformColumn(
  _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector, _ column: UnsafeMutablePointer<Float>, _ rowStride: Int
) -> Vector {
  store(transformed(y0, y1, y2, y3), column, apart: rowStride)
  return (y0 + y1) + (y2 + y3)
}

/// The six rows of a row of tiles, each transformed to six frequencies of every tile.
@inline(__always)
private func transformRows(
  _ scratch: UnsafeMutablePointer<Float>, _ rowStride: Int, _ tileColumns: Int,
  _ destination: UnsafeMutablePointer<Float>, _ channels: Int, _ frequencyStride: Int
) {
  let lanes = Vector.scalarCount
  var tile = destination
  for tileColumn in 0..<tileColumns {
    var d = UnsafePointer(scratch) + tileColumn * 4 * lanes
    var v = tile
    for _ in 0..<6 {
      store(
        transformed(load(d, 0), load(d, lanes), load(d, 2 * lanes), load(d, 3 * lanes)), v, apart: frequencyStride)
      d += rowStride
      v += 6 * frequencyStride
    }
    tile += channels
  }
}

/// Zeros for a row of tiles of output channels that do not exist: only where a block of 16 has one block of 8, and so
/// never in pairs.
@inline(__always)
private func clearMissingChannels(
  _ plane: WinogradPlane, _ destination: UnsafeMutablePointer<Float>, _ channels: Int, _ frequencyStride: Int
) {
  for channel in stride(from: plane.channelBlocks * 8, to: channels, by: Vector.scalarCount) {
    for frequency in 0..<36 {
      for tileColumn in 0..<plane.tileColumns {
        store(
          Vector(repeating: 0), destination, frequency * frequencyStride + tileColumn * channels + channel)
      }
    }
  }
}

@inline(__always)
private func addSums(
  _ sums: UnsafeMutablePointer<Float>, to biasGradient: UnsafeMutablePointer<Float>, _ plane: WinogradPlane
) {
  for block in stride(from: 0, to: plane.channelBlocks, by: Vector.scalarCount / 8) {
    store(load(biasGradient, block * 8) + load(sums, block * 8), biasGradient, block * 8)
  }
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
    for column in columns..<width {
      store(Vector(repeating: 0), scratch, row * rowStride + column * lanes)
    }
  }
  // Blocks inside rows of tiles: a cache line of the destination is filled while it is near.
  for tileRow in 0..<plane.tileRows {
    let tiles = destination + tileRow * plane.tileColumns * channels
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
      for x in 0..<columns {
        sum =
          sum
          + transformColumn(pixel(s0, x), pixel(s1, x), pixel(s2, x), pixel(s3, x), scratch + x * lanes, rowStride)
      }
      transformRows(scratch, rowStride, plane.tileColumns, tiles + block * 8, channels, frequencyStride)
      store(sum, sums, block * 8)
    }
    clearMissingChannels(plane, tiles, channels, frequencyStride)
  }
  addSums(sums, to: biasGradient, plane)
}

/// As `winogradGradientTransform`, for an output that went through `winogradPooledOutputTransform`: each gradient of the
/// pooled output goes to the pixel that its maximum came from, all other pixels have none.
///
/// - Parameters:
///   - plane: strides of the pooled gradient, whose tiles are whole (`rows` and `columns` are not looked at); `tileRows` and `tileColumns` of the convolution's output.
///   - source: the first pixel of the pooled gradient, [block][2 · tileRows][2 · tileColumns][8].
///   - places: of the maxima, as `winogradPooledOutputTransform` wrote them.
public func winogradPooledGradientTransform(
  _ plane: WinogradPlane, source: UnsafePointer<Float>, places: UnsafePointer<Int32>,
  destination: UnsafeMutablePointer<Float>, channels: Int, frequencyStride: Int,
  biasGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let width = 2 * plane.tileColumns
  let placeRow = width * 8
  let placeBlock = 2 * plane.tileRows * placeRow
  let lanes = Vector.scalarCount
  let rowStride = 2 * width * lanes
  let sums = scratch + WinogradPlane.rowScratchVectors(tileColumns: plane.tileColumns) * lanes
  for tileRow in 0..<plane.tileRows {
    let tiles = destination + tileRow * plane.tileColumns * channels
    for block in stride(from: 0, to: plane.channelBlocks, by: lanes / 8) {
      var upper = source + block * plane.blockStride + 2 * tileRow * plane.rowStride
      var place = places + block * placeBlock + 2 * tileRow * placeRow
      var column = scratch
      var sum = tileRow == 0 ? Vector(repeating: 0) : load(sums, block * 8)
      for _ in 0..<width {
        let (y0, y1) = (loadBlocks(upper, 0, plane.blockStride), loadBlocks(upper, plane.rowStride, plane.blockStride))
        let (p0, p1) = (loadPlaces(place, 0, placeBlock), loadPlaces(place, placeRow, placeBlock))
        for side in 0..<2 {
          let (first, second) = (Int32(side), Int32(side + 2))
          sum =
            sum
            + transformColumn(
              dtrain_at_place(y0, p0, first), dtrain_at_place(y0, p0, second), dtrain_at_place(y1, p1, first),
              dtrain_at_place(y1, p1, second), column, rowStride)
          column += lanes
        }
        upper += 8
        place += 8
      }
      transformRows(scratch, rowStride, plane.tileColumns, tiles + block * 8, channels, frequencyStride)
      store(sum, sums, block * 8)
    }
    clearMissingChannels(plane, tiles, channels, frequencyStride)
  }
  addSums(sums, to: biasGradient, plane)
}
