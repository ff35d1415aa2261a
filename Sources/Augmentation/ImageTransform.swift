import Arithmetic

/// What happens to one copy of an image, as its random numbers say.
///
/// The place p of the result is read at A(p − centre − shift) + centre, where A undoes, in this order, a rotation, a
/// shear, a change of size and an exchange of left and right.
public struct ImageTransform: Equatable, Sendable {
  /// A, row by row, for (x, y): x to the right, y down.
  public var matrix: (xx: Float, xy: Float, yx: Float, yy: Float) {
    (matrixRows[0], matrixRows[1], matrixRows[2], matrixRows[3])
  }
  private var matrixRows = SIMD4<Float>(1, 0, 0, 1)
  /// In pixels.
  public private(set) var shift = SIMD2<Float>(0, 0)
  /// What the distance from the image's mean is multiplied by.
  public private(set) var contrast: Float = 1
  /// What is added then, of 255.
  public private(set) var brightness: Float = 0

  /// Every setting has its own random number, whether it is on or not: turning one on leaves the others' effect alone.
  init(_ settings: AugmentationSettings, _ stream: inout RandomStream) {
    let angle = Double.pi / 180 * settings.rotation * Self.symmetric(&stream)
    shift.x = Float(settings.shift * Self.symmetric(&stream))
    shift.y = Float(settings.shift * Self.symmetric(&stream))
    let scale = 1 + settings.scale * Self.symmetric(&stream)
    let lean = Double.pi / 180 * settings.shear * Self.symmetric(&stream)
    let columns = UInt32(2 * settings.crop + 1)
    shift.x += Float(Int(stream.nextUInt32().multipliedFullWidth(by: columns).high) - settings.crop)
    shift.y += Float(Int(stream.nextUInt32().multipliedFullWidth(by: columns).high) - settings.crop)
    let mirror: Double = Double(stream.nextUInt32()) * 0x1p-32 < settings.flip ? -1 : 1
    brightness = Float(255 * settings.brightness * Self.symmetric(&stream))
    contrast = Float(1 + settings.contrast * Self.symmetric(&stream))
    let (sine, cosine) = (ElementaryFunctions.sine(angle), ElementaryFunctions.cosine(angle))
    let tangent = ElementaryFunctions.sine(lean) / ElementaryFunctions.cosine(lean)
    // Exchange · 1/scale · [[1, −tangent], [0, 1]] · [[cosine, sine], [−sine, cosine]].
    matrixRows = SIMD4(
      Float(mirror / scale * (cosine + tangent * sine)), Float(mirror / scale * (sine - tangent * cosine)),
      Float(-sine / scale), Float(cosine / scale))
  }

  /// In [−1, 1), a multiple of 2^-31.
  private static func symmetric(_ stream: inout RandomStream) -> Double {
    Double(Int32(bitPattern: stream.nextUInt32())) * 0x1p-31
  }
}
