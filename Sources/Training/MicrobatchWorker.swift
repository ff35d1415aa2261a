import DataParallel
import Datasets
import NeuralNetwork

/// What one thread of a rank needs to work on microbatches: its way through the network, and room for the indices of
/// a microbatch's samples.
final class MicrobatchWorker {
  private let workspace: Workspace
  let classes: Int
  /// Told what is being done in a microbatch, if set.
  var observer: (any WorkspaceObserver)? {
    get { workspace.observer }
    set { workspace.observer = newValue }
  }
  private let samples: UnsafeMutableBufferPointer<UInt32>

  /// - Parameter largestMicrobatch: the most samples that will come at once.
  init(network: Network, largestMicrobatch: Int) {
    workspace = network.makeWorkspace()
    classes = network.classes
    samples = .allocate(capacity: largestMicrobatch)
  }

  deinit { samples.deallocate() }

  /// Writes the gradient of a microbatch's summed loss, and its statistics.
  ///
  /// - Parameter positions: the microbatch's samples, as positions in the epoch's order.
  func computeGradient(
    of positions: Range<Int>, order: EpochOrder, epoch: Int, dataset: any Dataset, into leaf: GradientVector
  ) {
    for (place, position) in positions.enumerated() { samples[place] = UInt32(order[position]) }
    let microbatch = workspace.computeGradient(
      of: UnsafeBufferPointer(rebasing: samples[..<positions.count]), seed: order.seed, epoch: epoch,
      gradient: leaf.floats, read: { dataset.read($0, into: $1) })
    leaf.statistics = StepStatistics(microbatch, samples: positions.count)
  }

  /// Sets the statistics of some samples in prediction.
  ///
  /// - Parameters:
  ///   - indices: the samples, as indices in the data set.
  ///   - scores: where each sample's scores go, at its place in [samples][classes] of the whole data set, if given.
  func evaluate(
    _ indices: Range<Int>, dataset: any Dataset, into leaf: GradientVector,
    scores: UnsafeMutablePointer<Float>? = nil
  ) {
    for (place, index) in indices.enumerated() { samples[place] = UInt32(index) }
    let target = scores.map { $0 + indices.lowerBound * classes }
    let microbatch = workspace.evaluate(
      UnsafeBufferPointer(rebasing: samples[..<indices.count]), read: { dataset.read($0, into: $1) },
      scores: target.map { target in
        { [classes] place, scores in (target + place * classes).update(from: scores, count: classes) }
      })
    leaf.statistics = StepStatistics(microbatch, samples: indices.count)
  }
}

extension StepStatistics {
  fileprivate init(_ microbatch: MicrobatchStatistics, samples: Int) {
    self.init(
      lossSum: microbatch.lossSum, correct: microbatch.correct, samples: samples,
      nonFinite: microbatch.lossSum.isFinite ? 0 : 1)
  }
}
