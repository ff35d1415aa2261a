import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How values lie along an axis.
public enum Scale: Equatable, Sendable {
  case linear
  /// Equal factors are equal distances. Above 0 alone.
  case logarithmic
  /// Shares in [0, 1], spread towards 1: from 90 % to 99 % is as far as from 99 % to 99.9 %.
  case accuracy

  /// Nearer to 1 than this nothing is told apart.
  private static let smallestError = 1e-5

  /// Where a value lies; nil where it cannot be shown.
  public func position(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    switch self {
    case .linear: return value
    case .logarithmic: return value > 0 ? log10(value) : nil
    case .accuracy: return -log10(max(Self.smallestError, 1 - min(1, value)))
    }
  }

  /// Round values between two, at most so many, in rising order.
  public func ticks(from low: Double, to high: Double, atMost limit: Int) -> [Double] {
    switch self {
    case .linear: return Self.linearTicks(from: low, to: high, atMost: limit)
    case .logarithmic:
      let exponents =
        Int(log10(low).rounded(.down))...max(Int(log10(low).rounded(.down)), Int(log10(high).rounded(.up)))
      for factors in [[1.0, 2, 5], [1, 3], [1]] {
        let values = exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
          .filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
        if values.count <= limit {
          return values.count >= 2 ? values : Self.linearTicks(from: low, to: high, atMost: limit)
        }
      }
      let decades = exponents.map { pow(10, Double($0)) }.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
      let every = (decades.count + limit - 1) / max(1, limit)
      return decades.enumerated().filter { $0.offset % max(1, every) == 0 }.map(\.element)
    case .accuracy:
      let all = [
        [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999],
        [0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999, 0.9999], [0, 0.9, 0.99, 0.999, 0.9999],
      ]
      for values in all {
        let shown = values.filter { $0 >= low - 1e-9 && $0 <= high + 1e-9 }
        if shown.count <= limit {
          return shown.count >= 2 ? shown : Self.linearTicks(from: low, to: high, atMost: limit)
        }
      }
      return []
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten.
  private static func linearTicks(from low: Double, to high: Double, atMost limit: Int) -> [Double] {
    guard high > low, limit > 0 else { return [low] }
    var step = pow(10, log10((high - low) / Double(limit)).rounded(.down))
    for factor in [1.0, 2, 5, 10] where (high - low) / (step * factor) <= Double(limit) {
      step *= factor
      break
    }
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    guard first <= last else { return [] }
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }
}

/// Values as the labels of an axis have them.
public enum ValueText {
  /// With as many digits as tell it from its neighbours: 0.001, 2.5, 12000.
  public static func plain(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    if value == 0 { return "0" }
    if value.magnitude >= 10_000 && value.rounded() == value { return grouped(value) }
    if value.magnitude >= 1e-4 { return trimmed(NumberText.fixed(value, decimals: value.magnitude < 0.01 ? 6 : 4)) }
    let exponent = Int(log10(value.magnitude).rounded(.down))
    let factor = trimmed(NumberText.fixed(value / pow(10, Double(exponent)), decimals: 2))
    return "\(factor)e\(exponent)"
  }

  /// A share in percent: 99.31 %.
  public static func percent(_ share: Double, decimals: Int = 2) -> String {
    NumberText.fixed(share * 100, decimals: decimals) + "\u{202F}%"
  }

  /// A share in percent without zeros at its end: 99.5 %.
  public static func shortPercent(_ share: Double) -> String {
    trimmed(NumberText.fixed(share * 100, decimals: 2)) + "\u{202F}%"
  }

  /// To the whole number below, with thin blanks between thousands.
  public static func grouped(_ value: Double) -> String {
    guard value.magnitude < 1e15 else { return value.isFinite ? value.description : "–" }
    return grouped(Int(value))
  }

  /// With thin blanks between thousands.
  public static func grouped(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    var place = digits.count - 3
    while place > 0 {
      digits.insert("\u{202F}", at: place)
      place -= 3
    }
    return (value < 0 ? "−" : "") + String(digits)
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
