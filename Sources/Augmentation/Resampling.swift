// For linking alone, as in `ElementaryFunctions`: rounding down is a call where the processor has no instruction.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

private typealias Vector = SIMD8<Float>

/// The image that is read from, as floats with a border of zeros: one row above, two below, one column left, two right.
/// Whatever lies outside the image is 0.
struct BorderedImage {
  let height: Int
  let width: Int
  let stride: Int
  /// The pixel at the top left.
  let origin: UnsafeMutablePointer<Float>
  private let base: UnsafeMutablePointer<Float>

  init(height: Int, width: Int) {
    self.height = height
    self.width = width
    stride = width + 3
    base = .allocate(capacity: (height + 3) * stride)
    base.initialize(repeating: 0, count: (height + 3) * stride)
    origin = base + stride + 1
  }

  func deallocate() { base.deallocate() }

  func take(_ pixels: UnsafePointer<UInt8>) {
    for y in 0..<height {
      let (source, target) = (pixels + y * width, origin + y * stride)
      for x in 0..<width { target[x] = Float(source[x]) }
    }
  }

  /// Reads the image where a transform says, between the four pixels around the place (bilinear).
  ///
  /// - Parameters:
  ///   - field: displacements of the places, in pixels, with as many floats a row as the result.
  ///   - result: [height][resultStride], `resultStride` a multiple of 8; what lies behind the width is arbitrary.
  func resample(
    _ transform: ImageTransform, _ field: ElasticField?, to result: UnsafeMutablePointer<Float>, resultStride: Int
  ) {
    let (xx, xy, yx, yy) = transform.matrix
    let centerX = Float(width - 1) / 2
    let centerY = Float(height - 1) / 2
    let lanes = Vector(0, 1, 2, 3, 4, 5, 6, 7) - (centerX + transform.shift.x)
    let (lowest, right, bottom) = (
      Vector(repeating: -1), Vector(repeating: Float(width)), Vector(repeating: Float(height))
    )
    for y in 0..<height {
      let v = Float(y) - (centerY + transform.shift.y)
      let (startX, startY) = (centerX + xy * v, centerY + yy * v)
      var x = 0
      while x < resultStride {
        let u = lanes + Float(x)
        var (placeX, placeY) = (startX + xx * u, startY + yx * u)
        if let field {
          placeX += Self.load(field.right, y * resultStride + x)
          placeY += Self.load(field.down, y * resultStride + x)
        }
        placeX = pointwiseMin(pointwiseMax(placeX, lowest), right)
        placeY = pointwiseMin(pointwiseMax(placeY, lowest), bottom)
        let (left, top) = (placeX.rounded(.down), placeY.rounded(.down))
        let (restX, restY) = (placeX - left, placeY - top)
        let offset = Self.integer(top) &* Int32(stride) &+ Self.integer(left)
        let (above, below) = (gather(offset, 0), gather(offset, stride))
        let (aboveRight, belowRight) = (gather(offset, 1), gather(offset, stride + 1))
        let upper = above + restX * (aboveRight - above)
        let lower = below + restX * (belowRight - below)
        UnsafeMutableRawPointer(result + y * resultStride + x)
          .storeBytes(of: upper + restY * (lower - upper), as: Vector.self)
        x += 8
      }
    }
  }

  @inline(__always)
  private func gather(_ offsets: SIMD8<Int32>, _ distance: Int) -> Vector {
    let pixels = origin + distance
    return Vector(
      pixels[Int(offsets[0])], pixels[Int(offsets[1])], pixels[Int(offsets[2])], pixels[Int(offsets[3])],
      pixels[Int(offsets[4])], pixels[Int(offsets[5])], pixels[Int(offsets[6])], pixels[Int(offsets[7])])
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Vector {
    UnsafeRawPointer(pointer + offset).loadUnaligned(as: Vector.self)
  }

  /// Whole numbers of at most 22 bits as integers: added to 1.5 · 2^23 they are the last bits of the sum.
  @inline(__always)
  private static func integer(_ values: Vector) -> SIMD8<Int32> {
    unsafeBitCast(values + 0x1.8p23, to: SIMD8<Int32>.self) &- 0x4B40_0000
  }
}
