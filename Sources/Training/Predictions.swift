import Arithmetic
import NeuralNetwork

/// The scores that a network gave to samples with labels.
public struct Predictions: Equatable, Sendable {
  public let classes: Int
  /// The right class of each sample.
  public let labels: [Int]
  /// [samples][classes], before softmax.
  public let scores: [Float]

  public init(classes: Int, labels: [Int], scores: [Float]) {
    precondition(classes > 0 && scores.count == labels.count * classes)
    self.classes = classes
    self.labels = labels
    self.scores = scores
  }

  public func scores(of sample: Int) -> ArraySlice<Float> { scores[sample * classes..<(sample + 1) * classes] }

  /// The class of the largest score, of equal ones the first; its softmax probability is the confidence.
  public func answer(of sample: Int) -> (label: Int, confidence: Double) {
    let scores = scores(of: sample)
    var best = scores.startIndex
    for place in scores.indices where scores[place] > scores[best] { best = place }
    var sum = 0.0
    for score in scores { sum += ElementaryFunctions.exponential(Double(score) - Double(scores[best])) }
    return (best - scores.startIndex, 1 / sum)
  }

  /// Softmax of a sample's scores, [classes].
  public func probabilities(of sample: Int) -> [Double] {
    let scores = scores(of: sample)
    let largest = Double(scores.max() ?? 0)
    let exponentials = scores.map { ElementaryFunctions.exponential(Double($0) - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// How many classes come before the right one: those with a larger score, and those before it with an equal one.
  public func rankOfTruth(of sample: Int) -> Int {
    let scores = scores(of: sample)
    let truth = scores.startIndex + labels[sample]
    return scores.indices.count { scores[$0] > scores[truth] || (scores[$0] == scores[truth] && $0 < truth) }
  }

  /// The samples whose answer is wrong, in order.
  public var wrong: [Int] { labels.indices.filter { answer(of: $0).label != labels[$0] } }

  /// A line a sample under a line of titles: its index, label, answer, confidence and scores. Numbers have as many
  /// digits as give the same number again.
  public var commaSeparated: String {
    var text = "sample,label,answer,confidence," + (0..<classes).map { "score_\($0)" }.joined(separator: ",") + "\n"
    for (sample, label) in labels.enumerated() {
      let answer = answer(of: sample)
      text += "\(sample),\(label),\(answer.label),\(answer.confidence),"
      text += scores(of: sample).map { $0.description }.joined(separator: ",") + "\n"
    }
    return text
  }
}

extension Predictions {
  /// What a network answers to images without labels, which are counted as of class 0.
  ///
  /// - Parameter images: each [channels][height][width] bytes, of the shape of the network's input.
  public init(_ images: [[UInt8]], by network: Network) {
    let samples = images.indices.map { UInt32($0) }
    var scores = [Float](repeating: 0, count: images.count * network.classes)
    samples.withUnsafeBufferPointer { samples in
      scores.withUnsafeMutableBufferPointer { buffer in
        guard let target = buffer.baseAddress else { return }
        _ = network.makeWorkspace().evaluate(
          samples,
          read: { index, pixels in
            precondition(images[index].count == network.inputShape.count)
            images[index].withUnsafeBufferPointer { source in
              if let start = source.baseAddress { pixels.update(from: start, count: source.count) }
            }
            return 0
          },
          scores: { place, scores in
            (target + place * network.classes).update(from: scores, count: network.classes)
          })
      }
    }
    self.init(classes: network.classes, labels: images.map { _ in 0 }, scores: scores)
  }
}
