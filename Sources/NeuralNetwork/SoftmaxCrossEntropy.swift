import Arithmetic

/// What a microbatch's loss adds up to.
public struct MicrobatchStatistics: Equatable, Sendable {
  /// Sum over the samples of −log of the probability given to the right class, in nats.
  public var lossSum = 0.0
  /// Samples whose largest score is that of the right class; of equal scores the first counts.
  public var correct = 0

  public init() {}
}

/// Softmax and cross-entropy: loss = −log(exp(y_t) / sum over k of exp(y_k)), for scores y and right class t.
///
/// The book's section 5.6.3. Exponentials and logarithm are taken in double by `ElementaryFunctions`, the largest score
/// subtracted first; the gradient is rounded to float once.
///
/// With labels smoothed by ε the right class counts 1 − ε + ε / classes and each other ε / classes. Szegedy, Vanhoucke,
/// Ioffe, Shlens and Wojna, "Rethinking the Inception architecture for computer vision" (2016), section 7.
struct SoftmaxCrossEntropy {
  let classes: Int
  /// ε, in [0, 1). Smooths where a gradient is asked for alone: an evaluation measures against the labels as they are.
  var labelSmoothing = 0.0

  /// Adds one sample's loss and writes the gradient of its scores, softmax(y) − what the class counts.
  ///
  /// - Parameters:
  ///   - scores: [classes].
  ///   - label: in [0, classes).
  ///   - gradient: [classes]; nil where only the loss is asked for.
  func add(
    scores: UnsafePointer<Float>, label: Int, gradient: UnsafeMutablePointer<Float>?,
    to statistics: inout MicrobatchStatistics
  ) {
    var best = 0
    for k in 1..<max(1, classes) where scores[k] > scores[best] { best = k }
    let largest = Double(scores[best])
    var sum = 0.0
    for k in 0..<classes { sum += ElementaryFunctions.exponential(Double(scores[k]) - largest) }
    statistics.lossSum += ElementaryFunctions.logarithm(sum) - (Double(scores[label]) - largest)
    if best == label { statistics.correct += 1 }
    guard let gradient else { return }
    let share = labelSmoothing / Double(classes)
    var spread = 0.0
    for k in 0..<classes {
      let probability = ElementaryFunctions.exponential(Double(scores[k]) - largest) / sum
      gradient[k] = Float((k == label ? probability - (1 - labelSmoothing) : probability) - share)
      spread += Double(scores[label]) - Double(scores[k])
    }
    // What is spread over the classes: ε / classes · sum over k of (y_t − y_k).
    if labelSmoothing > 0 { statistics.lossSum += share * spread }
  }
}
