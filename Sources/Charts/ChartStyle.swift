/// The style sheet of charts: its rules name colours, which a page defines, and a picture of its own brings along.
public enum ChartStyle {
  /// Names and values of the colours on a light ground, and on a dark one.
  public static let light = [
    ("page", "#ffffff"), ("ink", "#1b2027"), ("soft", "#57616d"), ("line", "#dce0e5"), ("strong", "#c3c9d1"),
    ("s0", "#1f68c9"), ("s1", "#b8501a"), ("s2", "#1d7a4d"), ("s3", "#7d46b8"), ("s4", "#a92a55"), ("s5", "#55697d"),
  ]
  public static let dark = [
    ("page", "#0f1319"), ("ink", "#e4e8ed"), ("soft", "#9ba6b2"), ("line", "#29303a"), ("strong", "#3b4450"),
    ("s0", "#74b3ff"), ("s1", "#f2a065"), ("s2", "#67cd97"), ("s3", "#c5a3f5"), ("s4", "#f587a8"), ("s5", "#a9b8c6"),
  ]

  /// As properties of a style sheet.
  public static func properties(_ colors: [(String, String)]) -> String {
    colors.map { "--\($0.0): \($0.1);" }.joined(separator: " ")
  }

  /// Of lines and areas a colour has dashes beside it, so that they are told apart without.
  public static let rules = """
    .chart text { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
    .chart .tick { fill: var(--soft); }
    .chart .grid { stroke: var(--line); stroke-width: 1; fill: none; }
    .chart .axis { stroke: var(--strong); stroke-width: 1; fill: none; }
    .chart .leader { stroke: var(--strong); stroke-width: 1; fill: none; }
    .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    .chart .line.plain { stroke-width: 1.6; }
    .chart .band { stroke: none; opacity: .16; }
    .chart .ring { fill: none; stroke: var(--ink); stroke-width: 1.4; transform-box: fill-box;
      transform-origin: center; transform: scale(1.9); vector-effect: non-scaling-stroke; }
    .chart .note { font-weight: 600; stroke: var(--page); stroke-width: 4px; paint-order: stroke; }
    .chart .label { font-weight: 600; }
    .line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); stroke-dasharray: 7 4; }
    .line.s2 { stroke: var(--s2); stroke-dasharray: 2 4; } .line.s3 { stroke: var(--s3); stroke-dasharray: 9 4 2 4; }
    .line.s4 { stroke: var(--s4); stroke-dasharray: 14 4; } .line.s5 { stroke: var(--s5); stroke-dasharray: 4 2 1 2; }
    .mark.s0, .band.s0, .chart .label.s0 { fill: var(--s0); } .mark.s1, .band.s1, .chart .label.s1 { fill: var(--s1); }
    .mark.s2, .band.s2, .chart .label.s2 { fill: var(--s2); } .mark.s3, .band.s3, .chart .label.s3 { fill: var(--s3); }
    .mark.s4, .band.s4, .chart .label.s4 { fill: var(--s4); } .mark.s5, .band.s5, .chart .label.s5 { fill: var(--s5); }
    """

  private static let barRules = (0...5).map { ".bar.s\($0) { fill: var(--s\($0)); }" }.joined(separator: " ")

  /// For a picture of its own. With the values in the colours' places, which every viewer of SVG understands.
  static let standalone: String = {
    let own = "svg { background: var(--page); }\n\(rules.replacing(".chart ", with: ""))\n\(barRules)"
    return """
      text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
      \(own.coloured(light))
      .heading { font-size: 17px; font-weight: 600; }
      @media (prefers-color-scheme: dark) {
      \(own.coloured(dark))
      }
      """
  }()
}

extension String {
  fileprivate func coloured(_ colors: [(String, String)]) -> String {
    colors.reduce(self) { $0.replacing("var(--\($1.0))", with: $1.1) }
  }
}
