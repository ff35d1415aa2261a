// For linking alone: where the processor has no instruction for them, the fused multiply-add, the square root and
// rounding to a whole number are calls of the C library, which IEEE 754 leaves no freedom.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The functions beyond + − × ÷ and square root that enter the arithmetic of a training run.
///
/// The C library's versions differ in their last bits between releases and processors. These are made of IEEE 754
/// operations alone, each rounded once, so that their bits are the same everywhere. `addingProduct` is the fused
/// multiply-add, which IEEE 754 defines to the last bit too, whether the processor has it or not.
///
/// Every result is within 1 unit in the last place of the exact one where it is a normal number.
public enum ElementaryFunctions {
  /// e to the power of `x`. Overflows to infinity above 709.78, ends in 0 below −745.13.
  public static func exponential(_ x: Double) -> Double {
    exponential(x, 0)
  }

  /// The natural logarithm of `x`: −infinity at 0, nan below.
  public static func logarithm(_ x: Double) -> Double {
    guard x > 0 else { return x == 0 ? -.infinity : .nan }
    guard x < .infinity else { return x }
    let (high, low) = logarithmPair(x)
    return high + low
  }

  /// The sine of `x` radians; nan where |x| exceeds 2^30, since too little of π is known here to reduce more.
  public static func sine(_ x: Double) -> Double {
    guard let (quadrant, rest, correction) = reduced(x) else { return .nan }
    switch quadrant {
    case 0: return sineKernel(rest, correction)
    case 1: return cosineKernel(rest, correction)
    case 2: return -sineKernel(rest, correction)
    default: return -cosineKernel(rest, correction)
    }
  }

  /// The cosine of `x` radians; nan where |x| exceeds 2^30.
  public static func cosine(_ x: Double) -> Double {
    guard let (quadrant, rest, correction) = reduced(x) else { return .nan }
    switch quadrant {
    case 0: return cosineKernel(rest, correction)
    case 1: return -sineKernel(rest, correction)
    case 2: return -cosineKernel(rest, correction)
    default: return sineKernel(rest, correction)
    }
  }

  /// `base` to a whole power, by repeated squaring in twice the precision. The zeroth power is 1.
  public static func power(_ base: Double, _ exponent: Int) -> Double {
    var square = Pair(high: base, low: 0)
    if exponent < 0 {
      let reciprocal = 1 / base
      let rest = (1.0).addingProduct(-reciprocal, base) / base
      square = Pair(high: reciprocal, low: rest.isFinite ? rest : 0)
    }
    var result = Pair(high: 1, low: 0)
    var remaining = exponent.magnitude
    while remaining != 0 {
      if remaining & 1 == 1 { result = result.times(square) }
      remaining >>= 1
      if remaining != 0 { square = square.times(square) }
    }
    return result.high
  }

  /// `base` to any power, with the special cases of IEEE 754-2019, section 9.2.1 (`pow`).
  public static func power(_ base: Double, _ exponent: Double) -> Double {
    if exponent == 0 || base == 1 { return 1 }
    if base.isNaN || exponent.isNaN { return .nan }
    let magnitude = base.magnitude
    if exponent.isInfinite {
      if magnitude == 1 { return 1 }
      return (magnitude > 1) == (exponent > 0) ? .infinity : 0
    }
    let isWhole = exponent.rounded(.towardZero) == exponent
    let isOdd = isWhole && exponent.magnitude < 0x1p53 && Int(exponent) & 1 != 0
    let sign: Double = base.sign == .minus && isOdd ? -1 : 1
    if magnitude == 0 { return sign * (exponent > 0 ? 0 : .infinity) }
    if magnitude == .infinity { return sign * (exponent > 0 ? .infinity : 0) }
    if base < 0 && !isWhole { return .nan }

    let (logHigh, logLow) = logarithmPair(magnitude)
    let high = exponent * logHigh
    guard high.magnitude < 800 else { return sign * (high > 0 ? .infinity : 0) }
    let low = (-high).addingProduct(exponent, logHigh) + exponent * logLow
    return sign * exponential(high, low)
  }

  // MARK: - Exponential

  /// ln 2 in two parts: the first has 32 significant bits, so that its product with an exponent is exact.
  private static let ln2High = 6.93147180369123816490e-01
  private static let ln2Low = 1.90821492927058770002e-10

  /// e^(high + low), where |low| is far below |high|.
  ///
  /// Cody and Waite's reduction, high = k ln 2 + r with |r| <= ln 2 / 2, then the series of e^r, whose rest after
  /// the thirteenth power is below 6e-18.
  private static func exponential(_ high: Double, _ low: Double) -> Double {
    if high.isNaN { return high }
    if high > 709.782712893384 { return .infinity }
    if high < -745.1332191019412 { return 0 }
    let k = (high * 1.44269504088896338700).rounded(.toNearestOrEven)
    let coarse = high - k * ln2High
    let fine = k * ln2Low - low
    let r = coarse - fine
    let correction = (coarse - r) - fine
    var p = 1.0 / 6_227_020_800
    p = p * r + 1.0 / 479_001_600
    p = p * r + 1.0 / 39_916_800
    p = p * r + 1.0 / 3_628_800
    p = p * r + 1.0 / 362_880
    p = p * r + 1.0 / 40_320
    p = p * r + 1.0 / 5_040
    p = p * r + 1.0 / 720
    p = p * r + 1.0 / 120
    p = p * r + 1.0 / 24
    p = p * r + 1.0 / 6
    p = p * r + 0.5
    let head = 1 + r
    let headLow = r - (head - 1)
    let value = head + (headLow + (r * r * p + correction * head))
    return scaled(value, by: Int(k))
  }

  /// value · 2^k for value in [0.7, 1.5] and k in [−1075, 1024].
  private static func scaled(_ value: Double, by k: Int) -> Double {
    if k > 1023 { return value * 2 * powerOfTwo(k - 1) }
    // Below the normal numbers one exact scaling comes before the one that rounds.
    if k < -1021 { return value * powerOfTwo(k + 128) * 0x1p-128 }
    return value * powerOfTwo(k)
  }

  private static func powerOfTwo(_ k: Int) -> Double {
    Double(bitPattern: UInt64(k + 1023) << 52)
  }

  // MARK: - Logarithm

  /// ln x as the sum of two numbers, good to about 2^-63 of its size, for a finite x above 0.
  ///
  /// x = 2^k m with m in [√½, √2), s = (m − 1) / (m + 1), ln m = 2 (s + s³/3 + s⁵/5 + …) with the first two terms
  /// in twice the precision.
  private static func logarithmPair(_ x: Double) -> (high: Double, low: Double) {
    let subnormal = x < .leastNormalMagnitude
    let bits = (subnormal ? x * 0x1p54 : x).bitPattern
    // Adding the distance from √½ to 1 carries into the exponent exactly where m would reach √2.
    let shifted = bits &+ (0x3FF0_0000_0000_0000 &- 0x3FE6_A09E_667F_3BCD)
    let k = Double(Int(shifted >> 52) - 1023 - (subnormal ? 54 : 0))
    let m = Double(bitPattern: (shifted & 0x000F_FFFF_FFFF_FFFF) &+ 0x3FE6_A09E_667F_3BCD)

    let numerator = m - 1
    let denominator = m + 1
    let denominatorLow = m - (denominator - 1)
    let s = numerator / denominator
    let sLow = (numerator.addingProduct(-s, denominator) - s * denominatorLow) / denominator

    let whole = Pair(high: s, low: sLow)
    let cube = whole.times(whole).times(whole)
    let third = cube.times(Pair(high: 0x1.5555555555555p-2, low: 0x1.5555555555555p-56))
    let z = s * s
    var p = 1.0 / 27
    p = p * z + 1.0 / 25
    p = p * z + 1.0 / 23
    p = p * z + 1.0 / 21
    p = p * z + 1.0 / 19
    p = p * z + 1.0 / 17
    p = p * z + 1.0 / 15
    p = p * z + 1.0 / 13
    p = p * z + 1.0 / 11
    p = p * z + 1.0 / 9
    p = p * z + 1.0 / 7
    p = p * z + 1.0 / 5
    let tail = z * cube.high * p
    let mantissa = Pair(sum: 2 * s, 2 * third.high)
    let mantissaLow = mantissa.low + 2 * (sLow + (third.low + tail))

    let exponent = Pair(sum: k * ln2High, mantissa.high)
    let low = exponent.low + (k * ln2Low + mantissaLow)
    let result = Pair(sum: exponent.high, low)
    return (result.high, result.low)
  }

  // MARK: - Sine and cosine

  /// x = quadrant · π/2 + rest + correction, with |rest| <= π/4 but for rounding.
  private static func reduced(_ x: Double) -> (quadrant: Int, rest: Double, correction: Double)? {
    guard x.magnitude <= 0x1p30 else { return nil }
    let n = (x * 0.636619772367581343076).rounded(.toNearestOrEven)
    // Exact: both terms are whole multiples of 2^-52 here (or n is 0), and their difference is below 1.
    let coarse = x.addingProduct(-n, 1.5707963267948966192)
    let fine = n * 6.123233995736766036e-17
    let fineLow = (-fine).addingProduct(n, 6.123233995736766036e-17)
    let rest = Pair(sum: coarse, -fine)
    return (Int(n) & 3, rest.high, rest.low - fineLow)
  }

  /// sin(x + y) for |x| <= π/4 and a y far below it: the series to the seventeenth power.
  private static func sineKernel(_ x: Double, _ y: Double) -> Double {
    let z = x * x
    var p = 1.0 / 355_687_428_096_000
    p = p * z - 1.0 / 1_307_674_368_000
    p = p * z + 1.0 / 6_227_020_800
    p = p * z - 1.0 / 39_916_800
    p = p * z + 1.0 / 362_880
    p = p * z - 1.0 / 5_040
    p = p * z + 1.0 / 120
    p = p * z - 1.0 / 6
    return x + (x * z * p + y * (1 - 0.5 * z))
  }

  /// cos(x + y) likewise: the series to the eighteenth power.
  private static func cosineKernel(_ x: Double, _ y: Double) -> Double {
    let z = x * x
    var p = -1.0 / 6_402_373_705_728_000
    p = p * z + 1.0 / 20_922_789_888_000
    p = p * z - 1.0 / 87_178_291_200
    p = p * z + 1.0 / 479_001_600
    p = p * z - 1.0 / 3_628_800
    p = p * z + 1.0 / 40_320
    p = p * z - 1.0 / 720
    p = p * z + 1.0 / 24
    let half = 0.5 * z
    let high = 1 - half
    return high + (((1 - high) - half) + (z * z * p - x * y))
  }

  // MARK: - Twice the precision

  /// An unevaluated sum of two numbers, the second below half a unit in the last place of the first.
  private struct Pair {
    var high: Double
    var low: Double

    init(high: Double, low: Double) {
      self.high = high
      self.low = low
    }

    /// The exact sum of two numbers of any sizes (Knuth's TwoSum).
    init(sum a: Double, _ b: Double) {
      high = a + b
      let part = high - a
      low = (a - (high - part)) + (b - part)
    }

    func times(_ other: Pair) -> Pair {
      let product = high * other.high
      guard product != 0 && product.isFinite else { return Pair(high: product, low: 0) }
      let error = (-product).addingProduct(high, other.high) + (high * other.low + low * other.high)
      let sum = product + error
      return Pair(high: sum, low: error - (sum - product))
    }
  }
}
