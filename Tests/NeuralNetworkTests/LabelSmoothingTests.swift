import Foundation
import Testing

@testable import NeuralNetwork

@Suite struct LabelSmoothingTests {
  /// −Σ q log p in double, with q as the paper has it.
  private func loss(_ scores: [Double], label: Int, smoothing: Double) -> Double {
    let sum = scores.reduce(0) { $0 + exp($1) }
    return scores.enumerated().reduce(0) { loss, score in
      let share = (score.offset == label ? 1 - smoothing : 0) + smoothing / Double(scores.count)
      return loss - share * log(exp(score.element) / sum)
    }
  }

  private func add(
    _ scores: [Double], label: Int, smoothing: Double, withGradient: Bool = true
  ) -> (loss: Double, gradient: [Double]) {
    let softmax = SoftmaxCrossEntropy(classes: scores.count, labelSmoothing: smoothing)
    var statistics = MicrobatchStatistics()
    var gradient = [Float](repeating: 99, count: scores.count)
    gradient.withUnsafeMutableBufferPointer { buffer in
      softmax.add(
        scores: scores.map { Float($0) }, label: label, gradient: withGradient ? buffer.baseAddress : nil,
        to: &statistics)
    }
    return (statistics.lossSum, gradient.map { Double($0) })
  }

  @Test(arguments: [0, 0.05, 0.1, 0.5, 0.9]) func isTheDerivativeOfItsLoss(smoothing: Double) {
    // Whole numbers of quarters: float has them exactly.
    let scores = [-1.5, 0.25, 2, -0.75, 3.5, 1, 0]
    for label in scores.indices {
      let (value, gradient) = add(scores, label: label, smoothing: smoothing)
      #expect(abs(value - loss(scores, label: label, smoothing: smoothing)) <= 1e-12)
      for k in scores.indices {
        let step = 1e-5
        var (above, below) = (scores, scores)
        above[k] += step
        below[k] -= step
        let numerical =
          (loss(above, label: label, smoothing: smoothing) - loss(below, label: label, smoothing: smoothing))
          / (2 * step)
        #expect(abs(gradient[k] - numerical) <= 1e-7)
      }
    }
  }

  @Test func anEvaluationTakesTheLabelsAsTheyAre() {
    let scores = [0.5, -1, 2]
    #expect(add(scores, label: 1, smoothing: 0.3, withGradient: false).loss == add(scores, label: 1, smoothing: 0).loss)
  }

  @Test func reachesTheGradientOfANetwork() throws {
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 6, width: 6), layers: [.affine(outputs: 5)], samples: 4, seed: 3)
    let plain = test.gradient(of: [0, 1, 2, 3])
    let smoothing = 0.2
    test.network.labelSmoothing = smoothing
    let smooth = test.gradient(of: [0, 1, 2, 3])
    // Of the biases: each sample's gradient rises by ε − ε / classes at its label, and falls by ε / classes elsewhere.
    let offset = try #require(test.network.parameters.tensors.last?.offset)
    for k in 0..<5 {
      let labels = Double(test.labels.filter { $0 == k }.count)
      let change = Double(smooth.gradient[offset + k]) - Double(plain.gradient[offset + k])
      #expect(abs(change - (smoothing * labels - 4 * smoothing / 5)) <= 1e-5)
    }
    #expect(smooth.statistics.correct == plain.statistics.correct)
    #expect(smooth.statistics.lossSum != plain.statistics.lossSum)
  }
}
