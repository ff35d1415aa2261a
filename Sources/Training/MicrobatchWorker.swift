import Augmentation
import DataParallel
import Datasets
import NeuralNetwork

/// What one thread of a rank needs to work on microbatches: its way through the network, and room for the indices of
/// a microbatch's samples.
final class MicrobatchWorker {
  private let workspace: Workspace
  /// Told what is being done in a microbatch, if set.
  var observer: (any WorkspaceObserver)? {
    get { workspace.observer }
    set { workspace.observer = newValue }
  }
  private let samples: UnsafeMutableBufferPointer<UInt32>
  private let augmenter: Augmenter?

  /// - Parameters:
  ///   - largestMicrobatch: the most samples that will come at once.
  ///   - augmenter: changes the images of training, if set.
  init(network: Network, largestMicrobatch: Int, augmenter: Augmenter? = nil) {
    workspace = network.makeWorkspace()
    self.augmenter = augmenter
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
      gradient: leaf.floats,
      read: { sample, pixels in
        let label = dataset.read(sample, into: pixels)
        augmenter?.augment(pixels, sample: sample, epoch: epoch)
        return label
      })
    leaf.statistics = StepStatistics(microbatch, samples: positions.count)
  }

  /// Sets the statistics of some samples in prediction.
  ///
  /// - Parameter indices: the samples, as indices in the data set.
  func evaluate(_ indices: Range<Int>, dataset: any Dataset, into leaf: GradientVector) {
    for (place, index) in indices.enumerated() { samples[place] = UInt32(index) }
    let microbatch = workspace.evaluate(
      UnsafeBufferPointer(rebasing: samples[..<indices.count]), read: { dataset.read($0, into: $1) })
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
