import Arithmetic
import Augmentation
import Foundation

/// What the settings' documentation says, in double, with the random numbers of a sample drawn anew.
struct ReferenceTransform {
  var angle: Double
  var shift: SIMD2<Double>
  var scale: Double
  var lean: Double
  var crop: SIMD2<Double>
  var isFlipped: Bool
  var brightness: Double
  var contrast: Double
  /// Elastic displacement of the pixel at (x, y).
  var displacement: (_ x: Double, _ y: Double) -> SIMD2<Double>

  init(_ settings: AugmentationSettings, height: Int, width: Int, seed: UInt64, sample: Int, epoch: Int) {
    func words(_ layer: UInt16, _ count: Int) -> [UInt32] {
      var stream = RandomStream(
        seed: seed, purpose: .augmentation, layer: layer, first: UInt32(epoch), second: UInt32(sample))
      return (0..<count).map { _ in stream.nextUInt32() }
    }
    func symmetric(_ word: UInt32) -> Double { Double(Int32(bitPattern: word)) / 2_147_483_648 }
    let w = words(0, 10)
    angle = settings.rotation * symmetric(w[0]) * .pi / 180
    shift = SIMD2(settings.shift * symmetric(w[1]), settings.shift * symmetric(w[2]))
    scale = 1 + settings.scale * symmetric(w[3])
    lean = settings.shear * symmetric(w[4]) * .pi / 180
    func whole(_ word: UInt32) -> Double {
      (Double(word) / 4_294_967_296 * Double(2 * settings.crop + 1)).rounded(.down) - Double(settings.crop)
    }
    crop = SIMD2(whole(w[5]), whole(w[6]))
    isFlipped = Double(w[7]) / 4_294_967_296 < settings.flip
    brightness = 255 * settings.brightness * symmetric(w[8])
    contrast = 1 + settings.contrast * symmetric(w[9])
    guard settings.elastic > 0 else {
      displacement = { _, _ in .zero }
      return
    }
    let spacing = settings.elasticSmoothness * 3.0.squareRoot()
    let columns = Int((Double(width - 1) / spacing).rounded(.down)) + 4
    let rows = Int((Double(height - 1) / spacing).rounded(.down)) + 4
    let grid = words(1, rows * columns * 2).map { symmetric($0) }
    let factor = settings.elastic * 3.0.squareRoot() * 315 / 151
    displacement = { x, y in
      var sum = SIMD2<Double>.zero
      for row in 0..<rows {
        for column in 0..<columns {
          // The first node lies one spacing before the image.
          let weight =
            Self.spline(x / spacing - Double(column - 1)) * Self.spline(y / spacing - Double(row - 1)) * factor
          sum.x += weight * grid[(2 * row) * columns + column]
          sum.y += weight * grid[(2 * row + 1) * columns + column]
        }
      }
      return sum
    }
  }

  /// The cubic B-spline around 0.
  static func spline(_ t: Double) -> Double {
    let d = abs(t)
    if d < 1 { return 2.0 / 3 - d * d + d * d * d / 2 }
    return d < 2 ? (2 - d) * (2 - d) * (2 - d) / 6 : 0
  }

  /// Where the image is read for the pixel at (x, y) of the copy. The content is mirrored, then scaled, sheared, turned and
  /// shifted, all about the centre; here that is undone, last first.
  func source(_ x: Int, _ y: Int, height: Int, width: Int) -> SIMD2<Double> {
    let center = SIMD2(Double(width - 1), Double(height - 1)) / 2
    var p = SIMD2(Double(x), Double(y)) - center - shift - crop
    p = SIMD2(cos(angle) * p.x + sin(angle) * p.y, cos(angle) * p.y - sin(angle) * p.x)
    p.x -= tan(lean) * p.y
    p /= scale
    if isFlipped { p.x = -p.x }
    return p + center + displacement(Double(x), Double(y))
  }

  /// The copy before it is rounded to bytes, and without noise.
  func copy(_ image: [UInt8], height: Int, width: Int) -> [Double] {
    func pixel(_ x: Int, _ y: Int) -> Double {
      (0..<width).contains(x) && (0..<height).contains(y) ? Double(image[y * width + x]) : 0
    }
    var result: [Double] = []
    for y in 0..<height {
      for x in 0..<width {
        let place = source(x, y, height: height, width: width)
        let (left, top) = (place.x.rounded(.down), place.y.rounded(.down))
        let (u, v) = (place.x - left, place.y - top)
        let (column, row) = (Int(left), Int(top))
        result.append(
          (1 - u) * (1 - v) * pixel(column, row) + u * (1 - v) * pixel(column + 1, row)
            + (1 - u) * v * pixel(column, row + 1) + u * v * pixel(column + 1, row + 1))
      }
    }
    let mean = result.reduce(0, +) / Double(result.count)
    return result.map { min(255, max(0, contrast * ($0 - mean) + mean + brightness)) }
  }
}
