import Testing

@testable import Training

/// Scores whose softmax gives the first of two classes this probability.
private func scores(_ probability: Double) -> [Float] { [0, Float(-oddsLogarithm(probability))] }

/// log(p / (1 − p)), by a series that converges for what is asked here.
private func oddsLogarithm(_ p: Double) -> Double {
  var (low, high) = (-20.0, 20.0)
  for _ in 0..<100 {
    let middle = (low + high) / 2
    var term = 1.0
    var exponential = 1.0
    for n in 1..<200 {
      term *= -middle / Double(n)
      exponential += term
    }
    if 1 / (1 + exponential) < p { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

@Suite struct ClassificationReportTests {
  /// Worked out by hand: three classes, of which one is never answered and one never there.
  @Test func countsByClass() {
    let predictions = Predictions(
      classes: 3, labels: [0, 0, 0, 1, 1],
      scores: [
        5, 1, 0,  // right
        1, 5, 0,  // 1 instead, the truth second
        3, 3, 3,  // right: of equal scores the first counts
        4, 2, 3,  // 0 instead, the truth third
        0, 9, 1,  // right
      ])
    let report = ClassificationReport(predictions, topCount: 2)
    #expect(report.confusion == [[2, 1, 0], [1, 1, 0], [0, 0, 0]])
    #expect(report.hits == 3)
    #expect(predictions.wrong == [1, 3])
    #expect(report.topHits == 4)
    #expect(report.classes.map(\.precision) == [2.0 / 3, 0.5, nil])
    #expect(report.classes.map(\.recall) == [2.0 / 3, 0.5, nil])
  }

  /// Four samples of confidence 0.9, three of them right, and two of 0.6, both right: (4 · |0.9 − 0.75| + 2 · |0.6 − 1|) / 6.
  @Test func calibrationErrorIsTheMeanGap() {
    let labels = [0, 0, 0, 1, 0, 0]
    let predictions = Predictions(
      classes: 2, labels: labels, scores: [0.9, 0.9, 0.9, 0.9, 0.6, 0.6].flatMap(scores))
    let report = ClassificationReport(predictions, topCount: 1)
    #expect(abs(report.calibrationError - (4 * 0.15 + 2 * 0.4) / 6) < 1e-6)
    #expect(report.bins.map(\.samples).filter { $0 > 0 } == [2, 4])
    #expect(report.bins[13].samples == 4, "0.9 lies in (13/15, 14/15]")
    #expect(report.topAccuracy == 5.0 / 6)
  }

  @Test func probabilitiesAddUpAndAgreeWithTheConfidence() {
    let predictions = Predictions(classes: 4, labels: [1, 2], scores: [80, -3, 2.5, 79, -1000, 3, 3, 2])
    for sample in 0..<2 {
      let probabilities = predictions.probabilities(of: sample)
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
      #expect(abs((probabilities.max() ?? 0) - predictions.answer(of: sample).confidence) < 1e-15)
    }
    #expect(predictions.answer(of: 1).label == 1)
    #expect(
      predictions.commaSeparated.hasPrefix("sample,label,answer,confidence,score_0,score_1,score_2,score_3\n0,1,0,"))
  }
}
