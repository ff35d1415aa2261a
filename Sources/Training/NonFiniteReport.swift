import Communication
import DataParallel
import Failures
import NeuralNetwork

/// Finds out, once a step's loss or gradient is not finite, where that began: each rank computes its microbatches again,
/// to the same bits, and looks at everything on the way.
struct NonFiniteReport {
  let recomputation: MicrobatchRecomputation
  let communicator: any Communicator
  /// Who computes which of the step's microbatches.
  let tree: GradientTree

  /// Samples that are named; of more the number is told.
  private static let namedSamples = 10

  /// Every rank has to call it.
  ///
  /// - Returns: the same on every rank, at any number of them.
  func failure(
    at position: StepPosition, _ statistics: StepStatistics, gradient: UnsafePointer<Float>
  ) throws(Failure) -> Failure {
    let isLoss = statistics.nonFinite > 0
    let subject = isLoss ? "the loss is \(statistics.lossSum)" : "the gradient is not finite"
    let place = "at step \(position.step) (epoch \(position.epoch + 1))"
    let remedy = "lower optimizer.learning_rate, or see whether the data are what they should be"
    let network = recomputation.network
    if let tensor = network.firstNonFiniteTensor(in: network.parameters.values) {
      return Failure(
        .failure, "\(subject) \(place), since the parameters are not finite before it, first \(tensor.name)",
        remedy: remedy)
    }
    guard let (microbatch, found, count) = try search(position) else {
      let sum = isLoss ? nil : network.firstNonFiniteTensor(in: gradient)
      return Failure(
        .failure,
        "\(subject) \(place)"
          + (sum.map { ": the sum over the microbatches overflows, first in the gradient of \($0.name)" }
            ?? ", though it is finite when it is computed again: a processor or its memory may fail"),
        remedy: remedy)
    }
    let others = count > 1 ? ", and others in \(count - 1) more of the batch's microbatches" : ""
    return Failure(
      .failure,
      "\(subject) \(place): the first number that is not finite is in \(describe(found)), in microbatch \(microbatch), "
        + "\(Self.describe(samples: found.samples))\(others)", remedy: remedy)
  }

  private func describe(_ place: NonFinitePlace) -> String {
    let layer = recomputation.network.segment.layers[place.layer].name
    switch place.kind {
    case .output: return "the output of \(layer)"
    case .loss: return "the loss"
    case .outputGradient: return "the gradient of the output of \(layer)"
    case .parameterGradient: return "the gradient of the parameters of \(layer)"
    }
  }

  private static func describe(samples: [Int]) -> String {
    let named = samples.prefix(namedSamples).map(String.init).joined(separator: ", ")
    let more = samples.count - namedSamples
    return (samples.count == 1 ? "sample " : "samples ") + named + (more > 0 ? " and \(more) more" : "")
      + " of the training data"
  }

  /// - Returns: the first microbatch with a number that is not finite, and how many there are.
  private func search(
    _ position: StepPosition
  ) throws(Failure) -> (microbatch: Int, place: NonFinitePlace, count: Int)? {
    let words = WordExchange(communicator: communicator, count: 5 + recomputation.plan.microbatch)
    for leaf in tree.leaves(ofRank: communicator.rank) {
      guard let found = recomputation.findNonFinite(leaf, of: position) else { continue }
      words.own[0] += 1
      guard words.own[0] == 1 else { continue }
      let numbers = [leaf, found.kind.rawValue, found.layer, found.samples.count] + found.samples
      for (index, number) in numbers.enumerated() { words.own[1 + index] = UInt64(number) }
    }
    try words.gather(phase: Phase("search for what is not finite", step: position.step))
    func number(_ rank: Int, _ word: Int) -> Int { Int(clamping: words[rank, word]) }
    let ranks = 0..<communicator.size
    // Ranks hold ascending runs of microbatches.
    guard let rank = ranks.first(where: { number($0, 0) > 0 }),
      let kind = NonFinitePlace.Kind(rawValue: number(rank, 2)),
      number(rank, 3) < recomputation.network.segment.layers.count
    else { return nil }
    let samples = (0..<min(number(rank, 4), recomputation.plan.microbatch)).map { number(rank, 5 + $0) }
    return (
      number(rank, 1), NonFinitePlace(kind: kind, layer: number(rank, 3), samples: samples),
      ranks.reduce(0) { $0 + number($1, 0) }
    )
  }
}
