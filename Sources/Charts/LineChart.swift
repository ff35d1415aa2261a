import Reporting

/// A figure of lines over steps or epochs, which tells its lines apart by colour, by dashes, by marks and by labels at
/// their ends.
public struct LineChart: Sendable {
  public struct Point: Equatable, Sendable {
    public var x: Double
    public var y: Double
    /// The least and greatest of what the point is the mean of.
    public var low = Double.nan
    public var high = Double.nan

    public init(x: Double, y: Double, low: Double = .nan, high: Double = .nan) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  public struct Line: Sendable {
    public var label: String
    public var points: [Point]
    /// Which colour, dashes and mark: lines of the same number belong together.
    public var style: Int
    /// Whether each point has a mark, with the text of a label for it.
    public var isMarked = false
    /// Whether the spread of the points is shown.
    public var hasBand = false

    public init(label: String, points: [Point], style: Int, isMarked: Bool = false, hasBand: Bool = false) {
      self.label = label
      self.points = points
      self.style = style
      self.isMarked = isMarked
      self.hasBand = hasBand
    }
  }

  /// The point that a person looks for.
  public struct Note: Sendable {
    public var point: Point
    public var text: String

    public init(point: Point, text: String) {
      self.point = point
      self.text = text
    }
  }

  public var title: String
  public var xTitle: String
  public var lines: [Line]
  public var scale = Scale.linear
  /// How the values of x lie; those of a logarithmic one are above 0.
  public var xScale = Scale.linear
  public var format: @Sendable (Double) -> String = ValueText.plain
  public var note: Note?
  /// Whether the axis begins at 0.
  public var includesZero = false
  /// The values of x that the axis names; nil for round ones.
  public var xTicks: [Double]?

  public init(
    title: String, xTitle: String, lines: [Line], scale: Scale = .linear,
    format: @escaping @Sendable (Double) -> String = ValueText.plain, note: Note? = nil, includesZero: Bool = false,
    xTicks: [Double]? = nil
  ) {
    self.title = title
    self.xTitle = xTitle
    self.lines = lines
    self.scale = scale
    self.format = format
    self.note = note
    self.includesZero = includesZero
    self.xTicks = xTicks
  }

  /// The figure for a wide place, and for the width of a phone: text keeps its size.
  public var fragments: String {
    fragment(width: 520, height: 290, "chart wide") + fragment(width: 350, height: 250, "chart narrow")
  }

  /// The figure as a picture of its own, with its title.
  public var document: String {
    var picture = ChartDrawing(self, width: 760, height: 420, top: 56).picture
    picture.text(title, "heading", x: 14, y: 28)
    return picture.document(title: description, style: ChartStyle.standalone)
  }

  /// What the figure shows, in words.
  public var description: String {
    let parts = lines.compactMap { line -> String? in
      guard let first = line.points.first, let last = line.points.last else { return nil }
      let values = line.points.map(\.y)
      return
        "\(line.label): from \(format(first.y)) to \(format(last.y)), between \(format(values.min() ?? first.y)) and "
        + format(values.max() ?? first.y)
    }
    return "\(title), by \(xTitle). " + parts.joined(separator: "; ") + "."
  }

  /// Whether there is anything to draw.
  public var isEmpty: Bool { !lines.contains { line in line.points.contains { scale.position($0.y) != nil } } }

  private func fragment(width: Double, height: Double, _ style: String) -> String {
    ChartDrawing(self, width: width, height: height).fragment(style)
  }
}

/// One drawing of a chart.
private struct ChartDrawing {
  private static let labelHeight = 15.0
  private static let characterWidth = 6.7

  private let chart: LineChart
  private let width: Double
  private let height: Double
  private let left: Double
  private let right: Double
  private let top: Double
  private let bottom: Double
  private let xRange: ClosedRange<Double>
  private let yRange: ClosedRange<Double>
  /// The one value of x that all points have; nil where they have several.
  private let onlyX: Double?
  private(set) var picture: SVGText

  init(_ chart: LineChart, width: Double, height: Double, top: Double = 12) {
    self.chart = chart
    self.top = top
    self.width = width
    self.height = height
    picture = SVGText(width: width, height: height)
    let points = chart.lines.flatMap(\.points)
    let xs = points.map(\.x)
    let places = xs.compactMap(chart.xScale.position)
    xRange = Self.range(places.min() ?? 0, places.max() ?? 1)
    onlyX = xs.min() == xs.max() ? xs.first : nil
    var ys = points.flatMap { [$0.y] }
    if chart.includesZero { ys.append(0) }
    let positions = ys.compactMap(chart.scale.position)
    let (low, high) = (positions.min() ?? 0, positions.max() ?? 1)
    let margin = max((high - low) * 0.04, chart.scale == .linear ? high.magnitude * 0.02 : 0.02)
    yRange = Self.range(chart.includesZero ? low : low - margin, high + margin)
    bottom = height - 38
    let values = ys.filter { chart.scale.position($0) != nil }
    let ticks = chart.scale.ticks(from: values.min() ?? 0, to: values.max() ?? 1, atMost: Self.tickLimit(bottom - top))
    left = 10 + Self.characterWidth * Double(ticks.map { chart.format($0).count }.max() ?? 3)
    right = width - 14 - (chart.lines.map { Self.width(ofLabel: Self.shortened($0.label)) }.max() ?? 0)
    drawGrid(ticks)
    for line in chart.lines where line.hasBand { drawBand(line) }
    for line in chart.lines { draw(line) }
    drawLabels()
    if let note = chart.note { draw(note) }
  }

  private static func shortened(_ label: String) -> String { label.count > 18 ? label.prefix(17) + "…" : label }

  /// In bold, whatever sans-serif the reader has.
  private static func width(ofLabel label: String) -> Double {
    label.reduce(0) { $0 + ("mwMW@%…".contains($1) ? 12.5 : "ijl.,:;| ".contains($1) ? 5 : 8.5) }
  }

  func fragment(_ style: String) -> String { picture.fragment(style, label: chart.description) }

  private static func tickLimit(_ height: Double) -> Int { max(2, Int(height / 30)) }

  private static func range(_ low: Double, _ high: Double) -> ClosedRange<Double> {
    low < high ? low...high : (low - 0.5)...(low + 0.5)
  }

  private func x(_ value: Double) -> Double {
    let place = chart.xScale.position(value) ?? xRange.lowerBound
    return left + (right - left) * (place - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
  }

  private func y(_ value: Double) -> Double? {
    guard let position = chart.scale.position(value) else { return nil }
    let share = (position - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound)
    return bottom - (bottom - top) * min(1, max(0, share))
  }

  private mutating func drawGrid(_ ticks: [Double]) {
    for tick in ticks {
      guard let y = y(tick) else { continue }
      picture.line("grid", from: (left, y), to: (right, y))
      picture.text(chart.format(tick), "tick", x: left - 6, y: y + 4, anchor: .end)
    }
    picture.line("axis", from: (left, bottom), to: (right, bottom))
    let limit = max(2, Int((right - left) / 56))
    let xs = chart.lines.flatMap(\.points).map(\.x)
    let round = chart.xScale.ticks(from: xs.min() ?? 0, to: xs.max() ?? 1, atMost: limit)
    // Around a point that is alone no round value means anything but its own.
    for tick in chart.xTicks ?? onlyX.map({ [$0] }) ?? round {
      picture.line("axis", from: (x(tick), bottom), to: (x(tick), bottom + 4))
      picture.text(ValueText.plain(tick), "tick", x: x(tick), y: bottom + 17, anchor: .middle)
    }
    picture.text(chart.xTitle, "tick", x: (left + right) / 2, y: height - 6, anchor: .middle)
  }

  private mutating func drawBand(_ line: LineChart.Line) {
    let points = line.points.filter { $0.low.isFinite && $0.high.isFinite }
    let upper = points.compactMap { point in y(point.high).map { (x: x(point.x), y: $0) } }
    let lower = points.compactMap { point in y(point.low).map { (x: x(point.x), y: $0) } }
    picture.path("band s\(line.style)", upper + lower.reversed(), isClosed: true)
  }

  private mutating func draw(_ line: LineChart.Line) {
    let points = line.points.compactMap { point in y(point.y).map { (x: x(point.x), y: $0) } }
    picture.path("line s\(line.style)\(line.isMarked ? "" : " plain")", points)
    guard line.isMarked || points.count == 1 else { return }
    // Many marks would hide the line.
    let every = max(1, points.count / 40)
    for (index, point) in line.points.enumerated() where index % every == 0 || index == line.points.count - 1 {
      guard let y = y(point.y) else { continue }
      picture.mark(
        "mark s\(line.style)", x: x(point.x), y: y, shape: line.style,
        title: "\(line.label), \(chart.xTitle) \(ValueText.plain(point.x)): \(chart.format(point.y))")
    }
  }

  /// At the lines' ends, moved apart where they would cover each other.
  private mutating func drawLabels() {
    var labels = chart.lines.compactMap { line -> (line: LineChart.Line, x: Double, end: Double, y: Double)? in
      guard let last = line.points.last(where: { y($0.y) != nil }), let end = y(last.y) else { return nil }
      return (line, x(last.x), end, end)
    }.sorted { $0.end < $1.end }
    for index in labels.indices.dropFirst() {
      labels[index].y = max(labels[index].y, labels[index - 1].y + Self.labelHeight)
    }
    var limit = bottom
    for index in labels.indices.reversed() {
      labels[index].y = min(labels[index].y, limit)
      limit = labels[index].y - Self.labelHeight
    }
    for label in labels {
      if (label.y - label.end).magnitude > 1 || label.x < right - 1 {
        picture.line("leader", from: (label.x + 3, label.end), to: (right + 6, label.y))
      }
      picture.text(Self.shortened(label.line.label), "label s\(label.line.style)", x: right + 10, y: label.y + 4)
    }
  }

  private mutating func draw(_ note: LineChart.Note) {
    guard let y = y(note.point.y) else { return }
    let x = x(note.point.x)
    picture.mark("ring", x: x, y: y, shape: 0)
    let half = Self.characterWidth * Double(note.text.count) / 2
    let center = min(max(x, left + half), right - half)
    picture.text(note.text, "note", x: center, y: y < top + 26 ? y + 22 : y - 10, anchor: .middle)
  }
}
