import Arithmetic

/// The probabilities that a network gives to the classes of some samples, averaged over several looks at each.
///
/// Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks" (2012), section
/// 4.1, average softmax over parts and mirror images likewise. All is done in double, look after look.
public final class ProbabilityMean {
  private let classes: Int
  private let loss: SoftmaxCrossEntropy
  /// [samples][classes].
  private let sums: UnsafeMutableBufferPointer<Double>
  private let labels: UnsafeMutableBufferPointer<Int>
  /// Of one sample, [classes].
  private let scores: UnsafeMutablePointer<Float>

  /// - Parameter capacity: the most samples that will come at once.
  public init(capacity: Int, classes: Int) {
    self.classes = classes
    loss = SoftmaxCrossEntropy(classes: classes)
    sums = .allocate(capacity: capacity * classes)
    sums.initialize(repeating: 0)
    labels = .allocate(capacity: capacity)
    labels.initialize(repeating: 0)
    scores = .allocate(capacity: classes)
  }

  deinit {
    sums.deallocate()
    labels.deallocate()
    scores.deallocate()
  }

  /// Forgets what was added.
  public func clear() { sums.update(repeating: 0) }

  /// - Parameter place: of the sample, below `capacity`.
  public func setLabel(_ label: Int, at place: Int) { labels[place] = label }

  /// Adds one look at a sample.
  ///
  /// - Parameter scores: [classes], before softmax.
  public func add(_ scores: UnsafePointer<Float>, at place: Int) {
    var largest = scores[0]
    for k in 1..<max(1, classes) where scores[k] > largest { largest = scores[k] }
    var sum = 0.0
    for k in 0..<classes { sum += ElementaryFunctions.exponential(Double(scores[k]) - Double(largest)) }
    for k in 0..<classes {
      sums[place * classes + k] += ElementaryFunctions.exponential(Double(scores[k]) - Double(largest)) / sum
    }
  }

  /// Loss and right answers by the means.
  ///
  /// - Parameters:
  ///   - samples: how many there are.
  ///   - looks: how many were added for each.
  ///   - receive: called with each sample's place and scores, [classes]: logarithms of its mean probabilities, the least
  ///     −708.4, where doubles become imprecise.
  public func statistics(
    samples: Int, looks: Int, receive: ((_ place: Int, _ scores: UnsafePointer<Float>) -> Void)?
  ) -> MicrobatchStatistics {
    var statistics = MicrobatchStatistics()
    for place in 0..<samples {
      for k in 0..<classes {
        let probability = sums[place * classes + k] / Double(looks)
        let least = Double.leastNormalMagnitude
        scores[k] = Float(ElementaryFunctions.logarithm(probability < least ? least : probability))
      }
      loss.add(scores: scores, label: labels[place], gradient: nil, to: &statistics)
      receive?(place, scores)
    }
    return statistics
  }
}
