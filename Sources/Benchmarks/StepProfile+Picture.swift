import Reporting

extension StepProfile {
  /// The profile as a picture in SVG: a strip for the whole step, then a bar a part. Light or dark as the viewer likes.
  public var picture: String {
    let chart = ProfileChart(self)
    return chart.document
  }
}

/// The layout of the picture.
private struct ProfileChart {
  private static let width = 880.0
  private static let margin = 28.0
  /// Where the bars begin and end.
  private static let left = 214.0
  private static let right = 740.0
  private static let rowHeight = 25.0
  private static let barHeight = 15.0
  private static let stripTop = 106.0
  private static let stripHeight = 24.0
  private static let rowsTop = 178.0

  private let profile: StepProfile
  private var picture: SVGText
  private let height: Double

  init(_ profile: StepProfile) {
    self.profile = profile
    height = Self.rowsTop + Self.rowHeight * Double(profile.parts.count) + 40
    picture = SVGText(width: Self.width, height: height)
    drawHeader()
    drawStrip()
    drawGrid()
    for (row, part) in profile.parts.enumerated() {
      draw(part, top: Self.rowsTop + Self.rowHeight * Double(row))
    }
  }

  var document: String {
    picture.document(title: "Where a training step goes: \(profile.summary)", style: Self.style)
  }

  private mutating func drawHeader() {
    picture.rectangle("page", x: 0, y: 0, width: Self.width, height: height, radius: 8)
    picture.text("Where a training step goes", "title", x: Self.margin, y: 42)
    picture.text(profile.summary, "figure", x: Self.width - Self.margin, y: 42, anchor: .end)
    picture.text(profile.caption, "small", x: Self.margin, y: 66)
  }

  /// The whole step, from edge to edge; its labels are the legend.
  private mutating func drawStrip() {
    let width = Self.width - 2 * Self.margin
    let shares = [
      ("forward", profile.forwardShare), ("backward", profile.backwardShare), ("other", profile.otherShare),
    ]
    let sum = shares.reduce(0) { $0 + $1.1 }
    var x = Self.margin
    for (index, (name, share)) in shares.enumerated() {
      let part = width * share / sum
      picture.rectangle(name, x: x, y: Self.stripTop, width: max(0, part - 1), height: Self.stripHeight)
      let label = "\(name) \(StepProfile.percent(share))"
      if index == shares.count - 1 {
        picture.text(label, "label", x: Self.width - Self.margin, y: Self.stripTop - 8, anchor: .end)
      } else {
        picture.text(label, "label", x: x, y: Self.stripTop - 8)
      }
      x += part
    }
  }

  private mutating func drawGrid() {
    let bottom = Self.rowsTop + Self.rowHeight * Double(profile.parts.count)
    var share = 0.0
    while share <= longest + 1e-9 {
      picture.line("grid", x: position(share), from: Self.rowsTop - 6, to: bottom)
      picture.text(
        "\(NumberText.fixed(share * 100, decimals: 0)) %", "small", x: position(share), y: Self.rowsTop - 14,
        anchor: .middle)
      share += tick
    }
    picture.text("ms", "small", x: Self.width - Self.margin, y: Self.rowsTop - 14, anchor: .end)
    picture.text(
      "A bar is a share of the step: a layer forward, then backward. ReLU and pooling run inside the layer before them "
        + "where they can.", "small", x: Self.margin, y: bottom + 24)
  }

  private mutating func draw(_ part: StepProfile.Part, top: Double) {
    let baseline = top + Self.barHeight - 3
    picture.text(part.name, "label", x: Self.margin, y: baseline)
    if !part.detail.isEmpty {
      picture.text(part.detail, "small", x: Self.left - 10, y: baseline, anchor: .end)
    }
    var x = Self.left
    for (name, seconds) in [("forward", part.forward), ("backward", part.backward), ("other", part.other)]
    where seconds > 0 {
      let share = seconds / profile.stepSeconds
      let width = position(share) - Self.left
      picture.rectangle(
        name, x: x, y: top, width: max(0.5, width - (name == "forward" ? 1 : 0)), height: Self.barHeight,
        title: "\(part.name), \(name): \(StepProfile.percent(share))")
      x += width
    }
    picture.text(StepProfile.percent(part.seconds / profile.stepSeconds), "value", x: x + 7, y: baseline)
    picture.text(
      NumberText.fixed(part.seconds * 1e3, decimals: 2), "value", x: Self.width - Self.margin, y: baseline, anchor: .end
    )
  }

  private var longest: Double {
    max(0.001, profile.parts.lazy.map(\.seconds).max() ?? 0) / profile.stepSeconds
  }

  /// From one line of the grid to the next: at most six of them.
  private var tick: Double { [0.01, 0.02, 0.05, 0.1].first { longest / $0 <= 6 } ?? 0.2 }

  private func position(_ share: Double) -> Double { Self.left + (Self.right - Self.left) * share / longest }

  private static let style = """
    text { font-family: -apple-system, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1f2328; }
    .title { font-size: 20px; font-weight: 600; }
    .figure { font-size: 16px; font-weight: 600; }
    .label, .value { font-size: 13px; }
    .value { font-variant-numeric: tabular-nums; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
    .small { font-size: 11.5px; fill: #59636e; }
    .page { fill: #ffffff; }
    .grid { stroke: #d8dee4; stroke-width: 1; }
    .forward { fill: #2f81d6; }
    .backward { fill: #e0823d; }
    .other { fill: #8c96a0; }
    @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .value { stroke: #0d1117; }
    .small { fill: #9aa4ae; }
    .page { fill: #0d1117; }
    .grid { stroke: #2b323b; }
    .forward { fill: #539bf5; }
    .backward { fill: #e39655; }
    .other { fill: #768390; }
    }
    """
}
