import Arithmetic

/// Random displacements of an image's pixels that change smoothly from pixel to pixel.
///
/// Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis"
/// (2003), section 2, smooth uniform noise by a Gaussian. Here the noise sits on a coarse grid, and the smoothing kernel
/// is the cubic B-spline on it: nearly a Gaussian, whose standard deviation is the grid's spacing / √3. So a pixel takes
/// 16 products instead of hundreds.
final class ElasticField {
  /// Displacements to the right and down, in pixels, [height][stride] each.
  let right: UnsafeMutablePointer<Float>
  let down: UnsafeMutablePointer<Float>
  /// Floats a row: the width rounded up to a multiple of 8.
  private let stride: Int
  private let height: Int
  private let columns: SplineAxis
  private let rows: SplineAxis
  /// What a uniform number in [−1, 1) of the grid is multiplied by.
  private let factor: Float
  /// [row of the grid][right, down][column of the grid].
  private let grid: UnsafeMutablePointer<Float>
  /// [row of the grid][right, down][stride]: the grid, interpolated along its rows.
  private let lines: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - amplitude: standard deviation of a displacement, in pixels.
  ///   - smoothness: standard deviation of the Gaussian, in pixels, at least 1.
  init(height: Int, width: Int, stride: Int, amplitude: Double, smoothness: Double) {
    self.height = height
    self.stride = stride
    let spacing = smoothness * 3.0.squareRoot()
    columns = SplineAxis(length: width, spacing: spacing)
    rows = SplineAxis(length: height, spacing: spacing)
    // A uniform number has the variance 1/3; the spline's squared weights add up to 151/315 on the mean, along each axis.
    factor = Float(amplitude * 3.0.squareRoot() / (151.0 / 315))
    grid = .allocate(capacity: rows.nodes * columns.nodes * 2)
    lines = .allocate(capacity: rows.nodes * stride * 2)
    lines.initialize(repeating: 0, count: rows.nodes * stride * 2)
    right = .allocate(capacity: height * stride)
    down = .allocate(capacity: height * stride)
  }

  deinit {
    for buffer in [grid, lines, right, down] { buffer.deallocate() }
  }

  func draw(_ stream: inout RandomStream) {
    for node in 0..<rows.nodes * columns.nodes * 2 {
      grid[node] = Float(Int32(bitPattern: stream.nextUInt32()) >> 8) * 0x1p-23 * factor
    }
    for line in 0..<rows.nodes * 2 {
      let (source, target) = (grid + line * columns.nodes, lines + line * stride)
      for x in 0..<columns.length {
        let (nodes, weights) = (source + columns.first[x], columns.weights[x])
        target[x] = (nodes[0] * weights[0] + nodes[1] * weights[1]) + (nodes[2] * weights[2] + nodes[3] * weights[3])
      }
    }
    for y in 0..<height {
      let (source, weights) = (lines + rows.first[y] * 2 * stride, rows.weights[y])
      interpolate(source, weights, to: right + y * stride)
      interpolate(source + stride, weights, to: down + y * stride)
    }
  }

  @inline(__always)
  private func interpolate(
    _ lines: UnsafePointer<Float>, _ weights: SIMD4<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    var x = 0
    while x < stride {
      var sum = load(lines, x) * weights[0]
      sum += load(lines, 2 * stride + x) * weights[1]
      sum += load(lines, 4 * stride + x) * weights[2]
      sum += load(lines, 6 * stride + x) * weights[3]
      UnsafeMutableRawPointer(target + x).storeBytes(of: sum, as: SIMD8<Float>.self)
      x += 8
    }
  }

  @inline(__always)
  private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> SIMD8<Float> {
    UnsafeRawPointer(pointer + offset).loadUnaligned(as: SIMD8<Float>.self)
  }
}

/// The places of pixels among the nodes of a grid, along one axis, and the nodes' weights there.
private struct SplineAxis {
  let length: Int
  let nodes: Int
  /// For each pixel, the first of the four nodes that reach it.
  let first: [Int]
  let weights: [SIMD4<Float>]

  init(length: Int, spacing: Double) {
    self.length = length
    var first: [Int] = []
    var weights: [SIMD4<Float>] = []
    for pixel in 0..<length {
      let place = Double(pixel) / spacing
      let node = place.rounded(.down)
      let t = place - node
      let rest = 1 - t
      first.append(Int(node))
      weights.append(
        SIMD4(
          Float(rest * rest * rest / 6), Float((3 * t * t * t - 6 * t * t + 4) / 6),
          Float((3 * rest * rest * rest - 6 * rest * rest + 4) / 6), Float(t * t * t / 6)))
    }
    self.first = first
    self.weights = weights
    nodes = (first.last ?? 0) + 4
  }
}
