// Winograd's F(4x4, 3x3): the inverse transform, Y = Aᵀ M A for each tile, with what follows a convolution fused in.
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

/// Aᵀ times a column of six. a² = 1/2, a³ = a/2, b² = 2, b³ = 2b.
@inline(__always)
private func transformed(
  _ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector
) -> (Vector, Vector, Vector, Vector) {
  let s1 = m1 + m2
  let d1 = m1 - m2
  let s2 = m3 + m4
  let d2 = m3 - m4
  return (
    m0 + (s1 + s2),
    addingProduct(d1 * Vector(repeating: a), d2, b),
    addingProduct(s1 * Vector(repeating: 0.5), s2, 2),
    addingProduct(addingProduct(m5, d2, 2 * b), d1, a / 2)
  )
}

/// The six columns of a tile, each transformed to four, to `scratch` as [4][6] vectors.
@inline(__always)
private func transformColumns(
  _ products: UnsafePointer<Float>, _ frequencyStride: Int, _ scratch: UnsafeMutablePointer<Float>
) {
  let lanes = Vector.scalarCount
  for j in 0..<6 {
    let m = products + j * frequencyStride
    let y = transformed(
      load(m, 0), load(m, 6 * frequencyStride), load(m, 12 * frequencyStride), load(m, 18 * frequencyStride),
      load(m, 24 * frequencyStride), load(m, 30 * frequencyStride))
    let column = scratch + lanes * j
    store(y.0, column, 0)
    store(y.1, column, 6 * lanes)
    store(y.2, column, 12 * lanes)
    store(y.3, column, 18 * lanes)
  }
}

@inline(__always)
private func transformedRow(
  _ scratch: UnsafeMutablePointer<Float>, _ row: Int
) -> (Vector, Vector, Vector, Vector) {
  let lanes = Vector.scalarCount
  let t = UnsafePointer(scratch) + 6 * lanes * row
  return transformed(
    load(t, 0), load(t, lanes), load(t, 2 * lanes), load(t, 3 * lanes), load(t, 4 * lanes), load(t, 5 * lanes))
}

/// Transforms all tiles of one image back.
///
/// - Parameters:
///   - plane: of the destination; `rows` and `columns` beyond which nothing is written.
///   - products: [36][tile][channels], at this image's first tile.
///   - channels: distance between two tiles there.
///   - frequencyStride: distance between two frequencies there.
///   - destination: the first pixel of the output.
///   - scratch: `WinogradPlane.scratchCount` floats.
public func winogradOutputTransform(
  _ plane: WinogradPlane, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
  destination: UnsafeMutablePointer<Float>, epilogue: WinogradEpilogue, scratch: UnsafeMutablePointer<Float>
) {
  switch epilogue {
  case .bias(let bias):
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, block in
      value + load(bias, block * 8)
    }
  case .biasAndReLU(let bias):
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, block in
      let y = value + load(bias, block * 8)
      return dtrain_rectified(y, y)
    }
  }
}

@inline(__always)
private func outputs(
  _ plane: WinogradPlane, _ products: UnsafePointer<Float>, _ channels: Int, _ frequencyStride: Int,
  _ destination: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
  _ epilogue: (_ value: Vector, _ block: Int) -> Vector
) {
  // Blocks inside rows of tiles: a cache line of the products is used up while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in stride(from: 0, to: plane.channelBlocks, by: Vector.scalarCount / 8) {
      for tileColumn in 0..<plane.tileColumns {
        let tile = tileRow * plane.tileColumns + tileColumn
        transformColumns(products + tile * channels + block * 8, frequencyStride, scratch)
        let y = tileRow * 4
        let x = tileColumn * 4
        let output = destination + block * plane.blockStride + y * plane.rowStride + x * 8
        let rows = min(4, plane.rows - y)
        let columns = min(4, plane.columns - x)
        if columns == 4 {
          for i in 0..<rows {
            let r = transformedRow(scratch, i)
            let row = output + i * plane.rowStride
            storeBlocks(epilogue(r.0, block), row, 0, plane.blockStride)
            storeBlocks(epilogue(r.1, block), row, 8, plane.blockStride)
            storeBlocks(epilogue(r.2, block), row, 16, plane.blockStride)
            storeBlocks(epilogue(r.3, block), row, 24, plane.blockStride)
          }
        } else {
          for i in 0..<rows {
            let r = transformedRow(scratch, i)
            let row = output + i * plane.rowStride
            storeBlocks(epilogue(r.0, block), row, 0, plane.blockStride)
            if columns > 1 { storeBlocks(epilogue(r.1, block), row, 8, plane.blockStride) }
            if columns > 2 { storeBlocks(epilogue(r.2, block), row, 16, plane.blockStride) }
          }
        }
      }
    }
  }
}

/// Transforms all tiles of one image back, adds the bias, applies ReLU and 2x2 max pooling with stride 2.
///
/// A pooling window lies inside a tile, so `rows` and `columns` have to be multiples of 4.
///
/// - Parameters:
///   - plane: strides of the pooled output; `tileRows` and `tileColumns` of the convolution's.
///   - destination: the first pixel of the pooled output, [block][2 · tileRows][2 · tileColumns][8].
///   - places: for each pooled value which of its four pixels it came from: 0 to 3, row by row, the first where
///     several are equal; 4 or more where none is positive. [block][2 · tileRows][2 · tileColumns][8].
public func winogradPooledOutputTransform(
  _ plane: WinogradPlane, products: UnsafePointer<Float>, channels: Int, frequencyStride: Int,
  bias: UnsafePointer<Float>, destination: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<Int32>,
  scratch: UnsafeMutablePointer<Float>
) {
  let width = 2 * plane.tileColumns
  let height = 2 * plane.tileRows
  for tileRow in 0..<plane.tileRows {
    for tileColumn in 0..<plane.tileColumns {
      let tile = tileRow * plane.tileColumns + tileColumn
      for block in stride(from: 0, to: plane.channelBlocks, by: Vector.scalarCount / 8) {
        transformColumns(products + tile * channels + block * 8, frequencyStride, scratch)
        let shift = load(bias, block * 8)
        for i in 0..<2 {
          let upper = transformedRow(scratch, 2 * i)
          let lower = transformedRow(scratch, 2 * i + 1)
          let y = tileRow * 2 + i
          let output = destination + block * plane.blockStride + y * plane.rowStride + tileColumn * 16
          let place = places + ((block * height + y) * width + tileColumn * 2) * 8
          let strides = (output: plane.blockStride, place: height * width * 8)
          pool(upper.0, upper.1, lower.0, lower.1, shift, output, place, strides)
          pool(upper.2, upper.3, lower.2, lower.3, shift, output + 8, place + 8, strides)
        }
      }
    }
  }
}

@inline(__always)
private func pool(
  _ p0: Vector, _ p1: Vector, _ p2: Vector, _ p3: Vector, _ bias: Vector, _ output: UnsafeMutablePointer<Float>,
  _ place: UnsafeMutablePointer<Int32>, _ blockStrides: (output: Int, place: Int)
) {
  let largest = dtrain_larger(dtrain_larger(p3, p2), dtrain_larger(p1, p0))
  let value = largest + bias
  storeBlocks(dtrain_rectified(value, value), output, 0, blockStrides.output)
  let code = dtrain_place(p0, p1, p2, largest, value)
  #if WIDE_VECTORS
    UnsafeMutableRawPointer(place).storeBytes(of: code.lowHalf, as: SIMD8<Int32>.self)
    UnsafeMutableRawPointer(place + blockStrides.place).storeBytes(of: code.highHalf, as: SIMD8<Int32>.self)
  #else
    UnsafeMutableRawPointer(place).storeBytes(of: code, as: SIMD8<Int32>.self)
  #endif
}
