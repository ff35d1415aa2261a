// Winograd's F(4x4, 3x3): the inverse transform, Y = Aᵀ M A for each tile, with what follows a convolution fused in.
// See WinogradInputTransform.swift for source and points.

private typealias Vector = SIMD8<Float>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>, _ offset: Int) {
  UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: Vector.self)
}

private typealias Mask = SIMD8<Int32>

// Computed: a stored global is initialised lazily, behind a call in the innermost loop.
@inline(__always)
private var zero: Vector { Vector(repeating: 0) }
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
    (d1 * Vector(repeating: a)).addingProduct(d2, Vector(repeating: b)),
    (s1 * Vector(repeating: 0.5)).addingProduct(s2, Vector(repeating: 2)),
    m5.addingProduct(d2, Vector(repeating: 2 * b)).addingProduct(d1, Vector(repeating: a / 2))
  )
}

/// The six columns of a tile, each transformed to four, to `scratch` as [4][6] vectors.
@inline(__always)
private func transformColumns(
  _ products: UnsafePointer<Float>, _ frequencyStride: Int, _ scratch: UnsafeMutablePointer<Float>
) {
  for j in 0..<6 {
    let m = products + j * frequencyStride
    let y = transformed(
      load(m, 0), load(m, 6 * frequencyStride), load(m, 12 * frequencyStride), load(m, 18 * frequencyStride),
      load(m, 24 * frequencyStride), load(m, 30 * frequencyStride))
    store(y.0, scratch, 8 * j)
    store(y.1, scratch, 48 + 8 * j)
    store(y.2, scratch, 96 + 8 * j)
    store(y.3, scratch, 144 + 8 * j)
  }
}

@inline(__always)
private func transformedRow(
  _ scratch: UnsafeMutablePointer<Float>, _ row: Int
) -> (Vector, Vector, Vector, Vector) {
  let t = UnsafePointer(scratch) + 48 * row
  return transformed(load(t, 0), load(t, 8), load(t, 16), load(t, 24), load(t, 32), load(t, 40))
}

/// What follows the inverse transform in the same pass.
public enum WinogradEpilogue {
  /// Nothing: the gradient of an input that no ReLU made.
  case none
  /// Adds the bias.
  case bias(UnsafePointer<Float>)
  /// Adds the bias, then max(0, y).
  case biasAndReLU(UnsafePointer<Float>)
  /// Keeps the gradient only where the activation, which lies as the destination does but with strides of its own,
  /// is positive: ReLU's backward.
  case mask(UnsafePointer<Float>, blockStride: Int, rowStride: Int)
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
  case .none:
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, _, _, _ in value }
  case .bias(let bias):
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, block, _, _ in
      value + load(bias, block * 8)
    }
  case .biasAndReLU(let bias):
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, block, _, _ in
      let y = value + load(bias, block * 8)
      return y.replacing(with: zero, where: y .<= zero)
    }
  case .mask(let activation, let blockStride, let rowStride):
    outputs(plane, products, channels, frequencyStride, destination, scratch) { value, block, row, column in
      let kept = load(activation, block * blockStride + row * rowStride + column * 8)
      return value.replacing(with: zero, where: kept .<= zero)
    }
  }
}

@inline(__always)
private func outputs(
  _ plane: WinogradPlane, _ products: UnsafePointer<Float>, _ channels: Int, _ frequencyStride: Int,
  _ destination: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
  _ epilogue: (_ value: Vector, _ block: Int, _ row: Int, _ column: Int) -> Vector
) {
  // Blocks inside rows of tiles: a cache line of the products is used up while it is near.
  for tileRow in 0..<plane.tileRows {
    for block in 0..<plane.channelBlocks {
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
            store(epilogue(r.0, block, y + i, x), row, 0)
            store(epilogue(r.1, block, y + i, x + 1), row, 8)
            store(epilogue(r.2, block, y + i, x + 2), row, 16)
            store(epilogue(r.3, block, y + i, x + 3), row, 24)
          }
        } else {
          for i in 0..<rows {
            let r = transformedRow(scratch, i)
            let row = output + i * plane.rowStride
            store(epilogue(r.0, block, y + i, x), row, 0)
            if columns > 1 { store(epilogue(r.1, block, y + i, x + 1), row, 8) }
            if columns > 2 { store(epilogue(r.2, block, y + i, x + 2), row, 16) }
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
      for block in 0..<plane.channelBlocks {
        transformColumns(products + tile * channels + block * 8, frequencyStride, scratch)
        let shift = load(bias, block * 8)
        for i in 0..<2 {
          let upper = transformedRow(scratch, 2 * i)
          let lower = transformedRow(scratch, 2 * i + 1)
          let y = tileRow * 2 + i
          let output = destination + block * plane.blockStride + y * plane.rowStride + tileColumn * 16
          let place = places + ((block * height + y) * width + tileColumn * 2) * 8
          pool(upper.0, upper.1, lower.0, lower.1, shift, output, place)
          pool(upper.2, upper.3, lower.2, lower.3, shift, output + 8, place + 8)
        }
      }
    }
  }
}

@inline(__always)
private func pool(
  _ p0: Vector, _ p1: Vector, _ p2: Vector, _ p3: Vector, _ bias: Vector, _ output: UnsafeMutablePointer<Float>,
  _ place: UnsafeMutablePointer<Int32>
) {
  let upper = p0.replacing(with: p1, where: p1 .> p0)
  let lower = p2.replacing(with: p3, where: p3 .> p2)
  let largest = upper.replacing(with: lower, where: lower .> upper)
  var code = Mask(repeating: 3)
  code.replace(with: Mask(repeating: 2), where: p2 .== largest)
  code.replace(with: Mask(repeating: 1), where: p1 .== largest)
  code.replace(with: Mask(repeating: 0), where: p0 .== largest)
  let value = largest + bias
  let dead = value .<= zero
  code.replace(with: Mask(repeating: 4), where: dead)
  store(value.replacing(with: zero, where: dead), output, 0)
  UnsafeMutableRawPointer(place).storeBytes(of: code, as: Mask.self)
}
