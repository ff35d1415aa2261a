// Layers without parameters, on blocked activations, [channel / 8][row][column][8].

import CVectors

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

/// Where the activations of one image lie, from its first pixel on. Strides in floats.
public struct BlockedPlane: Sendable {
  public let blocks: Int
  public let rows: Int
  public let columns: Int
  public let blockStride: Int
  public let rowStride: Int

  public init(blocks: Int, rows: Int, columns: Int, blockStride: Int, rowStride: Int) {
    self.blocks = blocks
    self.rows = rows
    self.columns = columns
    self.blockStride = blockStride
    self.rowStride = rowStride
  }
}

/// destination = max(0, source). Exact.
public func rectify(
  _ source: UnsafePointer<Float>, _ sourcePlane: BlockedPlane, to destination: UnsafeMutablePointer<Float>,
  _ destinationPlane: BlockedPlane
) {
  for block in 0..<sourcePlane.blocks {
    for row in 0..<sourcePlane.rows {
      let s = source + block * sourcePlane.blockStride + row * sourcePlane.rowStride
      let d = destination + block * destinationPlane.blockStride + row * destinationPlane.rowStride
      for column in 0..<sourcePlane.columns {
        let value = load(s, column * 8)
        store(dtrain_rectified(value, value), d, column * 8)
      }
    }
  }
}

/// destination = gradient where the activation is positive, else 0: ReLU's backward, given its output. Exact.
///
/// Where `activation` is nil the gradient is only copied.
public func maskGradient(
  _ gradient: UnsafePointer<Float>, _ gradientPlane: BlockedPlane, by activation: UnsafePointer<Float>?,
  _ activationPlane: BlockedPlane, to destination: UnsafeMutablePointer<Float>, _ destinationPlane: BlockedPlane
) {
  for block in 0..<gradientPlane.blocks {
    for row in 0..<gradientPlane.rows {
      let g = gradient + block * gradientPlane.blockStride + row * gradientPlane.rowStride
      let d = destination + block * destinationPlane.blockStride + row * destinationPlane.rowStride
      if let activation {
        let a = activation + block * activationPlane.blockStride + row * activationPlane.rowStride
        for column in 0..<gradientPlane.columns {
          store(dtrain_rectified(load(g, column * 8), load(a, column * 8)), d, column * 8)
        }
      } else {
        for column in 0..<gradientPlane.columns { store(load(g, column * 8), d, column * 8) }
      }
    }
  }
}

/// The largest value of each window, and its place in the window (row by row; the first of equals). Exact.
///
/// - Parameter places: [block][row][column][8] of the destination.
public func maxPool(
  _ source: UnsafePointer<Float>, _ sourcePlane: BlockedPlane, size: Int, stride: Int,
  to destination: UnsafeMutablePointer<Float>, _ destinationPlane: BlockedPlane,
  places: UnsafeMutablePointer<Int32>
) {
  var place = UnsafeMutableRawPointer(places)
  for block in 0..<destinationPlane.blocks {
    for row in 0..<destinationPlane.rows {
      let d = destination + block * destinationPlane.blockStride + row * destinationPlane.rowStride
      for column in 0..<destinationPlane.columns {
        let s =
          source + block * sourcePlane.blockStride + row * stride * sourcePlane.rowStride + column * stride * 8
        var largest = load(s, 0)
        var code = Mask(repeating: 0)
        for i in 0..<size {
          for j in 0..<size {
            let value = load(s, i * sourcePlane.rowStride + j * 8)
            let larger = value .> largest
            largest.replace(with: value, where: larger)
            code.replace(with: Mask(repeating: Int32(truncatingIfNeeded: i * size + j)), where: larger)
          }
        }
        store(largest, d, column * 8)
        place.storeBytes(of: code, as: Mask.self)
        place += 32
      }
    }
  }
}

/// Adds each gradient to the pixel that its maximum came from.
///
/// - Parameters:
///   - gradient: of the pooled output.
///   - destination: the input's gradient, zero before.
public func maxPoolGradient(
  _ gradient: UnsafePointer<Float>, _ gradientPlane: BlockedPlane, places: UnsafePointer<Int32>, size: Int,
  stride: Int, to destination: UnsafeMutablePointer<Float>, _ destinationPlane: BlockedPlane
) {
  var place = UnsafeRawPointer(places)
  for block in 0..<gradientPlane.blocks {
    for row in 0..<gradientPlane.rows {
      let g = gradient + block * gradientPlane.blockStride + row * gradientPlane.rowStride
      for column in 0..<gradientPlane.columns {
        let d =
          destination + block * destinationPlane.blockStride + row * stride * destinationPlane.rowStride
          + column * stride * 8
        let value = load(g, column * 8)
        let code = place.loadUnaligned(as: Mask.self)
        for i in 0..<size {
          for j in 0..<size {
            let here = code .== Mask(repeating: Int32(truncatingIfNeeded: i * size + j))
            let offset = i * destinationPlane.rowStride + j * 8
            store(load(d, offset) + zero.replacing(with: value, where: here), d, offset)
          }
        }
        place += 32
      }
    }
  }
}

/// Bytes to floats in [0, 1]: destination = source / 255, rounded once.
public func normalizePixels(
  _ source: UnsafePointer<UInt8>, rows: Int, columns: Int, to destination: UnsafeMutablePointer<Float>,
  rowStride: Int
) {
  for row in 0..<rows {
    let s = source + row * columns
    let d = destination + row * rowStride
    var column = 0
    while column + 8 <= columns {
      let bytes = UnsafeRawPointer(s + column).loadUnaligned(as: SIMD8<UInt8>.self)
      store(Vector(bytes) / Vector(repeating: 255), d, column)
      column += 8
    }
    while column < columns {
      d[column] = Float(s[column]) / 255
      column += 1
    }
  }
}
