import Reporting

/// A picture in SVG 1.1, as it is written. Lengths are pixels; colours come from classes, so that a style sheet can
/// change them.
struct SVGText {
  enum Anchor: String { case start, middle, end }

  private var body = ""
  private let width: Double
  private let height: Double

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  mutating func rectangle(
    _ style: String, x: Double, y: Double, width: Double, height: Double, radius: Double = 0, title: String? = nil
  ) {
    let corner = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
    let start =
      "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
      + "height=\"\(Self.number(height))\"\(corner)"
    body += title.map { "\(start)><title>\(Self.escaped($0))</title></rect>\n" } ?? "\(start)/>\n"
  }

  mutating func line(_ style: String, x: Double, from top: Double, to bottom: Double) {
    body +=
      "<line class=\"\(style)\" x1=\"\(Self.number(x))\" y1=\"\(Self.number(top))\" x2=\"\(Self.number(x))\" "
      + "y2=\"\(Self.number(bottom))\"/>\n"
  }

  /// - Parameter y: of the baseline.
  mutating func text(_ text: String, _ style: String, x: Double, y: Double, anchor: Anchor = .start) {
    body +=
      "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor.rawValue)\">"
      + "\(Self.escaped(text))</text>\n"
  }

  /// The whole document.
  ///
  /// - Parameters:
  ///   - title: for whoever cannot see it.
  ///   - style: a style sheet.
  func document(title: String, style: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.number(width))" height="\(Self.number(height))" \
    viewBox="0 0 \(Self.number(width)) \(Self.number(height))" role="img">
    <title>\(Self.escaped(title))</title>
    <style>
    \(style)
    </style>
    \(body)</svg>

    """
  }

  /// With one decimal at most.
  private static func number(_ value: Double) -> String {
    let text = NumberText.fixed(value, decimals: 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      // XML has no way to write other control characters.
      case _ where character.value < 0x20: escaped += " "
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
