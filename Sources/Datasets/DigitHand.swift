import Arithmetic

/// The hand that writes one digit: everything about it that chance decides but the pen's small errors.
struct DigitHand {
  private let toPixels: (column: SIMD2<Double>, row: SIMD2<Double>, origin: SIMD2<Double>)
  private let waves: (Wave, Wave)
  /// Half the width of a stroke, in pixels.
  private let radius: Double
  /// How much wider a stroke is at its end than at its beginning, as a share of its width.
  private let taper: Double
  /// Over how many pixels the edge of a stroke fades.
  let softness: Double
  /// The standard deviation of the pen's error at each point, in units of ``DigitStrokes``.
  let unsteadiness: Double
  /// The darkest ink, in [0, 256].
  let ink: Int
  /// About the standard deviation of the noise in grey levels, times 16.
  let noise: Int

  /// A smooth change of place: a sine along one direction that moves points along another.
  private struct Wave {
    let direction: SIMD2<Double>
    let phase: Double
    let amplitude: SIMD2<Double>

    init(_ stream: inout RandomStream) {
      direction = SIMD2(stream.nextNormal(), stream.nextNormal()) * 1.6
      phase = 2 * Double.pi * stream.nextUnit()
      amplitude = SIMD2(stream.nextNormal(), stream.nextNormal()) * 0.07
    }

    func shift(at point: SIMD2<Double>) -> SIMD2<Double> {
      amplitude * ElementaryFunctions.sine(direction.x * point.x + direction.y * point.y + phase)
    }
  }

  /// - Parameter side: of the image, in pixels.
  init(_ stream: inout RandomStream, side: Int) {
    let unit = Double(side) / 28
    let height = unit * (8 + 2.4 * stream.nextUnit())
    let width = height * (0.8 + 0.5 * stream.nextUnit())
    let angle = 0.13 * Self.limited(stream.nextNormal(), 2.2)
    let shear = 0.12 + 0.2 * Self.limited(stream.nextNormal(), 2)
    let cosine = ElementaryFunctions.cosine(angle)
    let sine = ElementaryFunctions.sine(angle)
    let column = SIMD2(cosine, sine) * width
    // A positive shear leans to the right: what is further up (y below 0) goes right.
    let row = SIMD2(-sine - shear * cosine, cosine - shear * sine) * height
    let centre = SIMD2(
      0.5 * Double(side) + unit * 0.9 * Self.limited(stream.nextNormal(), 2.2),
      0.5 * Double(side) + unit * 0.9 * Self.limited(stream.nextNormal(), 2.2))
    toPixels = (column, row, centre)
    waves = (Wave(&stream), Wave(&stream))
    let weight = stream.nextUnit()
    radius = unit * (0.75 + 1.15 * weight * (0.4 + 0.6 * weight))
    taper = 0.25 * (2 * stream.nextUnit() - 1)
    softness = unit * (0.7 + 0.6 * stream.nextUnit())
    unsteadiness = 0.02 + 0.025 * stream.nextUnit()
    ink = 176 + Int(stream.next(below: 81))
    // Every other image is clean.
    let loudness = max(0, 2 * stream.nextUnit() - 1)
    noise = Int(16 * 14 * loudness * loudness)
  }

  /// Where a point of ``DigitStrokes`` comes to lie, in pixels from the upper left corner.
  func place(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let bent = point + waves.0.shift(at: point) + waves.1.shift(at: point)
    return toPixels.origin + toPixels.column * bent.x + toPixels.row * bent.y
  }

  /// Half the width of a stroke, in pixels, at a part in [0, 1] of it.
  func radius(at part: Double) -> Double { radius * (1 + taper * (2 * part - 1)) }

  private static func limited(_ value: Double, _ bound: Double) -> Double { min(bound, max(-bound, value)) }
}
