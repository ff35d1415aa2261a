import Foundation
import Testing

@testable import Charts

@Suite struct ChartTests {
  @Test(arguments: [Scale.linear, .logarithmic, .accuracy]) func ticksAreFewRisingAndWithin(_ scale: Scale) {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let ends = (0..<2).map { _ in
        scale == .accuracy
          ? Double.random(in: 0...1, using: &generator) : pow(10, Double.random(in: -8...8, using: &generator))
      }.sorted()
      let ticks = scale.ticks(from: ends[0], to: ends[1], atMost: 7)
      #expect(ticks.count <= 8, "\(ends)")
      #expect(ticks == ticks.sorted() && ticks.allSatisfy(\.isFinite))
      let slack = (ends[1] - ends[0]) * 0.01 + ends[1].magnitude * 0.01
      #expect(ticks.allSatisfy { $0 >= ends[0] - slack && $0 <= ends[1] + slack }, "\(scale) \(ends) \(ticks)")
    }
  }

  @Test func valuesThatNoAxisHasAreLeftOut() {
    let points = [1.0, 0, -1, .nan, .infinity, 2].enumerated().map {
      LineChart.Point(x: Double($0.offset), y: $0.element)
    }
    for scale in [Scale.linear, .logarithmic, .accuracy] {
      let chart = LineChart(
        title: "T", xTitle: "x", lines: [LineChart.Line(label: "<a>", points: points, style: 0, isMarked: true)],
        scale: scale)
      for text in [chart.fragments, chart.document] {
        #expect(!text.contains("nan") && !text.contains("inf") && !text.contains("<a>"))
      }
      #expect(!chart.isEmpty)
    }
    #expect(LineChart(title: "T", xTitle: "x", lines: []).isEmpty)
    let none = LineChart.Line(label: "a", points: [LineChart.Point(x: 0, y: 0)], style: 0)
    #expect(LineChart(title: "T", xTitle: "x", lines: [none], scale: .logarithmic).isEmpty)
  }

  @Test(arguments: [Scale.linear, .logarithmic, .accuracy]) func aPointAloneIsNamedOnBothAxes(_ scale: Scale) {
    let line = LineChart.Line(label: "a", points: [LineChart.Point(x: 1, y: 0.5)], style: 0, isMarked: true)
    let text = LineChart(title: "T", xTitle: "epoch", lines: [line], scale: scale).document
    let ticks = text.components(separatedBy: "class=\"tick\"").dropFirst().map { part in
      String(part.drop { $0 != ">" }.dropFirst().prefix { $0 != "<" })
    }
    #expect(ticks == ["0.5", "1", "epoch"])
  }

  @Test func aPictureOfItsOwnBringsItsColoursAlong() {
    let line = LineChart.Line(label: "a", points: [LineChart.Point(x: 1, y: 2), LineChart.Point(x: 8, y: 3)], style: 0)
    let chart = LineChart(title: "Speed", xTitle: "ranks", lines: [line], xTicks: [1, 8])
    let bars = StackedBars(
      title: "Step", unit: "ms", parts: ["a", "b"],
      bars: [StackedBars.Bar(label: "1 rank", values: [3, 0]), StackedBars.Bar(label: "2 ranks", values: [1.5, 0.5])])
    for text in [chart.document, bars.document] {
      #expect(text.hasPrefix("<?xml") && text.hasSuffix("</svg>\n") && !text.contains("var("))
      #expect(text.contains("prefers-color-scheme: dark"))
    }
    #expect(chart.document.contains(">8</text>") && !chart.document.contains(">4</text>"))
    #expect(bars.description == "Step. 1 rank: a 3 ms, b 0 ms; 2 ranks: a 1.5 ms, b 0.5 ms.")
    #expect(bars.document.components(separatedBy: "<rect").count == 1 + 2 + 3)
  }
}
