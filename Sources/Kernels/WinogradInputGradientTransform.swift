// Winograd's F(4x4, 3x3): from the transformed gradient of the inputs to the gradient itself, dX = B dV Bᵀ for each
// tile of 6x6, where tiles overlap added up: the input transform's adjoint.
// See WinogradInputTransform.swift for source and points.
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

/// B times a column of six, of which the first two overlap the last two of the tile before, `before0` and `before1`.
/// 2a² = 1, b² = 2.
@inline(__always)
private func spread(
  _ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector, _ before0: Vector,
  _ before1: Vector
) -> (Vector, Vector, Vector, Vector, Vector, Vector) {
  let s1 = m1 + m2
  let d1 = m1 - m2
  let s2 = m3 + m4
  let d2 = m3 - m4
  let factor = Vector(repeating: -2.5)
  return (
    before0 + m0,
    addingProduct(addingProduct(before1 + m5, d1, -2 * a), d2, -b / 2),
    addingProduct(addingProduct(m0 * factor, s1, -2), s2, -0.5),
    addingProduct(addingProduct(m5 * factor, d1, a), d2, b),
    m0 + (s1 + s2),
    m5
  )
}

/// The six columns of a tile. Rows 0 to 3, complete, go to `rows` as [4][6] vectors; rows 4 and 5 to `below`, [2][6],
/// where those of the tile above were.
@inline(__always)
private func spreadColumns(
  _ products: UnsafePointer<Float>, _ frequencyStride: Int, _ rows: UnsafeMutablePointer<Float>,
  _ below: UnsafeMutablePointer<Float>
) {
  let lanes = Vector.scalarCount
  for j in 0..<6 {
    let m = products + j * frequencyStride
    let under = below + lanes * j
    let y = spread(
      load(m, 0), load(m, 6 * frequencyStride), load(m, 12 * frequencyStride), load(m, 18 * frequencyStride),
      load(m, 24 * frequencyStride), load(m, 30 * frequencyStride), load(under, 0), load(under, 6 * lanes))
    let column = rows + lanes * j
    store(y.0, column, 0)
    store(y.1, column, 6 * lanes)
    store(y.2, column, 12 * lanes)
    store(y.3, column, 18 * lanes)
    store(y.4, under, 0)
    store(y.5, under, 6 * lanes)
  }
}

@inline(__always)
private func clear(_ vectors: UnsafeMutablePointer<Float>, count: Int) {
  for vector in 0..<count { store(Vector(repeating: 0), vectors, vector * Vector.scalarCount) }
}

/// Transforms all tiles of one image back and adds them up.
///
/// A pixel is the sum over the tiles that it lies in, those above first, then those to the left.
///
/// - Parameters:
///   - plane: of the destination without the padding; `tileRows` and `tileColumns` of the convolution's output.
///   - padding: how many rows and columns the first tile lies above and to the left of the first pixel.
///   - products: [36][tile][channels], the gradient of the transformed inputs, at this image's first tile.
///   - channels: distance between two tiles there.
///   - frequencyStride: distance between two frequencies there.
///   - destination: the first pixel of the gradient.
///   - mask: what the gradient is kept by: the output of the ReLU before the convolution, if there is one.
///   - scratch: `WinogradPlane.inputGradientScratchCount` floats.
public func winogradInputGradientTransform(
  _ plane: WinogradPlane, padding: Int, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
  destination: UnsafeMutablePointer<Float>, mask: WinogradMask?, scratch: UnsafeMutablePointer<Float>
) {
  if let mask {
    let (activation, blockStride, rowStride) = (mask.activation, mask.blockStride, mask.rowStride)
    inputGradients(plane, padding, products, channels, frequencyStride, destination, scratch) { value, block, y, x in
      dtrain_rectified(value, loadBlocks(activation, block * blockStride + y * rowStride + x * 8, blockStride))
    }
  } else {
    inputGradients(plane, padding, products, channels, frequencyStride, destination, scratch) { value, _, _, _ in value
    }
  }
}

@inline(__always)
private func inputGradients(
  _ plane: WinogradPlane, _ padding: Int, _ products: UnsafePointer<Float>, _ channels: Int, _ frequencyStride: Int,
  _ destination: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
  _ masked: (_ value: Vector, _ block: Int, _ row: Int, _ column: Int) -> Vector
) {
  let lanes = Vector.scalarCount
  let blocksAtOnce = lanes / 8
  // Of a tile [4][6], of the tile to the left [4][2], of the tiles above [block][tile column][2][6].
  let rows = scratch
  let left = rows + 24 * lanes
  let above = left + 8 * lanes
  clear(above, count: (plane.channelBlocks + blocksAtOnce - 1) / blocksAtOnce * plane.tileColumns * 12)

  /// Writes a row of the image as far as a row of a tile completes it, six vectors at `source`.
  @inline(__always)
  func writeRow(
    _ source: UnsafePointer<Float>, _ left: UnsafeMutablePointer<Float>, _ block: Int, _ y: Int, _ tileColumn: Int
  ) {
    let x = tileColumn * 4 - padding
    let target = destination + block * plane.blockStride + y * plane.rowStride
    @inline(__always)
    func write(_ value: Vector, _ x: Int) {
      storeBlocks(masked(value, block, y, x), target, x * 8, plane.blockStride)
    }
    @inline(__always)
    func writeExisting(_ value: Vector, _ x: Int) { if x >= 0 && x < plane.columns { write(value, x) } }
    let r = spread(
      load(source, 0), load(source, lanes), load(source, 2 * lanes), load(source, 3 * lanes), load(source, 4 * lanes),
      load(source, 5 * lanes), load(left, 0), load(left, lanes))
    store(r.4, left, 0)
    store(r.5, left, lanes)
    if x >= 0 && x + 4 <= plane.columns {
      write(r.0, x)
      write(r.1, x + 1)
      write(r.2, x + 2)
      write(r.3, x + 3)
    } else {
      writeExisting(r.0, x)
      writeExisting(r.1, x + 1)
      writeExisting(r.2, x + 2)
      writeExisting(r.3, x + 3)
    }
    if tileColumn == plane.tileColumns - 1 {
      writeExisting(r.4, x + 4)
      writeExisting(r.5, x + 5)
    }
  }

  // Blocks inside rows of tiles: a cache line of the products is used up while it is near.
  for tileRow in 0...plane.tileRows {
    let y = tileRow * 4 - padding
    let isBelow = tileRow == plane.tileRows
    let first = max(0, -y)
    let existing = first..<max(first, min(isBelow ? 2 : 4, plane.rows - y))
    for block in stride(from: 0, to: plane.channelBlocks, by: blocksAtOnce) {
      clear(left, count: 8)
      var under = above + block / blocksAtOnce * plane.tileColumns * 12 * lanes
      for tileColumn in 0..<plane.tileColumns {
        if !isBelow {
          let tile = tileRow * plane.tileColumns + tileColumn
          spreadColumns(products + tile * channels + block * 8, frequencyStride, rows, under)
        }
        for i in existing {
          writeRow((isBelow ? under : rows) + i * 6 * lanes, left + i * 2 * lanes, block, y + i, tileColumn)
        }
        under += 12 * lanes
      }
    }
  }
}
