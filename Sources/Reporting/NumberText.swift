/// Numbers as a person reads them. Nothing here depends on the locale.
public enum NumberText {
  /// A number with a fixed count of decimals, halves away from zero: 0.0432 for (0.04321, 4).
  public static func fixed(_ value: Double, decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 1e15 else { return value.description }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let whole = padded.dropLast(decimals)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return decimals == 0 ? sign + whole : "\(sign)\(whole).\(padded.suffix(decimals))"
  }

  /// A loss, with four digits that tell: 2.3026, 0.0432, 123.5.
  public static func loss(_ value: Double) -> String {
    fixed(value, decimals: value.magnitude < 10 ? 4 : value.magnitude < 100 ? 2 : 1)
  }

  /// A time to wait or to look back on: 0:42, 5:12, 1:05:12, 2d 03:05.
  public static func duration(_ seconds: Double) -> String {
    guard seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    let (minutes, second) = whole.quotientAndRemainder(dividingBy: 60)
    let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
    if hours >= 24 { return "\(hours / 24)d \(twoDigits(hours % 24)):\(twoDigits(minute))" }
    if hours > 0 { return "\(hours):\(twoDigits(minute)):\(twoDigits(second))" }
    return "\(minute):\(twoDigits(second))"
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
