import Reporting

/// A figure of bars that are each made of the same parts.
public struct StackedBars: Sendable {
  public struct Bar: Sendable {
    public var label: String
    /// The lengths of its parts, in the figure's unit, at least 0.
    public var values: [Double]

    public init(label: String, values: [Double]) {
      self.label = label
      self.values = values
    }
  }

  public var title: String
  public var unit: String
  /// What the parts are, in order.
  public var parts: [String]
  public var bars: [Bar]

  public init(title: String, unit: String, parts: [String], bars: [Bar]) {
    self.title = title
    self.unit = unit
    self.parts = parts
    self.bars = bars
  }

  /// What the figure shows, in words.
  public var description: String {
    let texts = bars.map { bar in
      "\(bar.label): "
        + zip(parts, bar.values).map { "\($0) \(ValueText.plain($1)) \(unit)" }.joined(separator: ", ")
    }
    return "\(title). \(texts.joined(separator: "; "))."
  }

  private static let width = 760.0
  private static let left = 100.0
  private static let right = 680.0
  private static let top = 92.0
  private static let rowHeight = 40.0

  /// A picture of its own.
  public var document: String {
    let bottom = Self.top + Self.rowHeight * Double(bars.count)
    var picture = SVGText(width: Self.width, height: bottom + 46)
    picture.text(title, "heading", x: 14, y: 28)
    var x = 14.0
    for (index, part) in parts.enumerated() {
      picture.rectangle("bar s\(index)", x: x, y: 46, width: 12, height: 12, radius: 2)
      picture.text(part, "tick", x: x + 18, y: 56)
      x += 40 + 6.7 * Double(part.count)
    }
    let longest = max(1e-12, bars.map { $0.values.reduce(0, +) }.max() ?? 0)
    let scale = (Self.right - Self.left) / longest
    for tick in Scale.linear.ticks(from: 0, to: longest, atMost: 8) {
      picture.line("grid", x: Self.left + tick * scale, from: Self.top - 8, to: bottom)
      picture.text(ValueText.plain(tick), "tick", x: Self.left + tick * scale, y: bottom + 16, anchor: .middle)
    }
    picture.text(unit, "tick", x: (Self.left + Self.right) / 2, y: bottom + 36, anchor: .middle)
    for (row, bar) in bars.enumerated() {
      let y = Self.top + Self.rowHeight * Double(row)
      picture.text(bar.label, "label", x: Self.left - 10, y: y + 17, anchor: .end)
      var x = Self.left
      for (index, value) in bar.values.enumerated() where value > 0 {
        picture.rectangle(
          "bar s\(index)", x: x, y: y, width: value * scale, height: 24,
          title: "\(bar.label), \(parts[index]): \(ValueText.plain(value)) \(unit)")
        x += value * scale
      }
      picture.text(ValueText.plain(bar.values.reduce(0, +)), "tick", x: x + 8, y: y + 17)
    }
    return picture.document(title: description, style: ChartStyle.standalone)
  }
}
