/// Floats of 16 bits, rounded to the nearest, of two equally near ones to that with an even last bit.
///
/// Of integer operations alone, so that they round alike on every processor. IEEE 754-2019, section 4.3.1.
public enum HalfPrecision {
  /// IEEE 754's binary16: 5 bits of exponent, 10 of fraction; from 65520 on infinity.
  public static func float16(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.bitPattern & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 }
    // 2^16, beyond which no rounding leads back.
    if magnitude >= 0x4780_0000 { return sign | 0x7c00 }
    // 2^-14, the least normal number: the exponent's bias changes from 127 to 15.
    if magnitude >= 0x3880_0000 {
      return sign | UInt16((roundedToEven(magnitude, dropping: 13) - (112 << 10)))
    }
    // Multiples of 2^-24. Of less than half of one nothing is left.
    let exponent = magnitude >> 23
    guard exponent >= 102 else { return sign }
    return sign | UInt16(roundedToEven(magnitude & 0x7f_ffff | 0x80_0000, dropping: 126 - exponent))
  }

  public static func float(float16 bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let (exponent, fraction) = (UInt32(bits >> 10 & 0x1f), UInt32(bits & 0x3ff))
    switch exponent {
    case 0:
      // Exact: a product with a power of two.
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: magnitude.bitPattern | sign)
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The upper half of a float32: 8 bits of exponent, 7 of fraction.
  public static func bfloat16(_ value: Float) -> UInt16 {
    if value.isNaN { return UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000 | 0x7fc0 }
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    return sign | UInt16(roundedToEven(value.bitPattern & 0x7fff_ffff, dropping: 16))
  }

  public static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// What float16 keeps of each value; from 65520 on infinity.
  ///
  /// - Parameters:
  ///   - values: [count].
  ///   - rounded: [count], may be the same.
  public static func roundToFloat16(
    count: Int, _ values: UnsafePointer<Float>, into rounded: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<count { rounded[index] = float(float16: float16(values[index])) }
  }

  /// The same with bfloat16.
  public static func roundToBfloat16(
    count: Int, _ values: UnsafePointer<Float>, into rounded: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<count { rounded[index] = float(bfloat16: bfloat16(values[index])) }
  }

  /// - Parameter bits: how many are dropped, 1 to 24.
  private static func roundedToEven(_ value: UInt32, dropping bits: UInt32) -> UInt32 {
    let half: UInt32 = 1 << (bits - 1)
    return (value + half - 1 + (value >> bits & 1)) >> bits
  }
}
