/// A picture in SVG 1.1, as it is written. Lengths are pixels; colours come from classes, so that a style sheet can
/// change them.
public struct SVGText: Sendable {
  public enum Anchor: String, Sendable { case start, middle, end }

  private var body = ""
  private let width: Double
  private let height: Double

  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  public mutating func rectangle(
    _ style: String, x: Double, y: Double, width: Double, height: Double, radius: Double = 0, title: String? = nil
  ) {
    let corner = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
    let start =
      "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
      + "height=\"\(Self.number(height))\"\(corner)"
    body += title.map { "\(start)><title>\(Self.escaped($0))</title></rect>\n" } ?? "\(start)/>\n"
  }

  public mutating func line(_ style: String, x: Double, from top: Double, to bottom: Double) {
    body +=
      "<line class=\"\(style)\" x1=\"\(Self.number(x))\" y1=\"\(Self.number(top))\" x2=\"\(Self.number(x))\" "
      + "y2=\"\(Self.number(bottom))\"/>\n"
  }

  /// - Parameter y: of the baseline.
  public mutating func text(_ text: String, _ style: String, x: Double, y: Double, anchor: Anchor = .start) {
    body +=
      "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor.rawValue)\">"
      + "\(Self.escaped(text))</text>\n"
  }

  /// Straight lines from point to point.
  ///
  /// - Parameter isClosed: whether the last point is joined to the first, for an area.
  public mutating func path(_ style: String, _ points: [(x: Double, y: Double)], isClosed: Bool = false) {
    guard !points.isEmpty else { return }
    let corners = points.map { "\(Self.number($0.x)) \(Self.number($0.y))" }.joined(separator: "L")
    body += "<path class=\"\(style)\" d=\"M\(corners)\(isClosed ? "Z" : "")\"/>\n"
  }

  public mutating func line(_ style: String, from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
    path(style, [start, end])
  }

  /// A mark of about 7 pixels at a place: shape 0 is a disc, 1 a square, 2 a triangle, 3 a diamond, and so on in turn.
  ///
  /// - Parameter title: shown by a browser when a pointer rests on it.
  public mutating func mark(_ style: String, x: Double, y: Double, shape: Int, title: String? = nil) {
    let (left, top) = (Self.number(x), Self.number(y))
    let outlines = [
      "M\(left) \(top)m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z", "M\(left) \(top)m-3 -3h6v6h-6Z",
      "M\(left) \(top)m0 -3.8l3.8 6.6h-7.6Z", "M\(left) \(top)m0 -4.2l4.2 4.2l-4.2 4.2l-4.2 -4.2Z",
    ]
    let start = "<path class=\"\(style)\" d=\"\(outlines[shape % outlines.count])\""
    body += title.map { "\(start)><title>\(Self.escaped($0))</title></path>\n" } ?? "\(start)/>\n"
  }

  /// The picture as a part of a page, which has the styles.
  ///
  /// - Parameters:
  ///   - style: classes of the picture.
  ///   - label: what it shows, for whoever cannot see it.
  public func fragment(_ style: String, label: String) -> String {
    "<svg class=\"\(style)\" viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" "
      + "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\" role=\"img\" "
      + "aria-label=\"\(Self.escaped(label))\">\n\(body)</svg>\n"
  }

  /// The whole document.
  ///
  /// - Parameters:
  ///   - title: for whoever cannot see it.
  ///   - style: a style sheet.
  public func document(title: String, style: String) -> String {
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

  /// Text as XML and HTML write it, in attributes too.
  public static func escaped(_ text: String) -> String {
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
