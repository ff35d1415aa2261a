import Augmentation
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
  private let augmenter: Augmenter?
  private let viewed: ViewedSamples?

  /// - Parameters:
  ///   - largestMicrobatch: the most samples that will come at once.
  ///   - augmenter: changes the images of training, if set.
  ///   - testTimeAugmentation: how prediction looks at a sample; nil: at the image alone.
  init(
    network: Network, largestMicrobatch: Int, augmenter: Augmenter? = nil,
    testTimeAugmentation: TestTimeAugmentation? = nil
  ) {
    workspace = network.makeWorkspace()
    classes = network.classes
    viewed = testTimeAugmentation.map { ViewedSamples($0, capacity: largestMicrobatch, network: network) }
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
    let microbatch = workspace.computeGradient(
      of: take(positions, order, dataset), seed: order.seed, epoch: epoch,
      gradient: leaf.floats, read: { read($0, of: dataset, epoch: epoch, into: $1) })
    leaf.statistics = StepStatistics(microbatch, samples: positions.count)
  }

  /// As `computeGradient`, slower, and looks for the first place where a number is not finite.
  func findNonFinite(
    of positions: Range<Int>, order: EpochOrder, epoch: Int, dataset: any Dataset, into leaf: GradientVector
  ) -> NonFinitePlace? {
    return workspace.findNonFinite(
      of: take(positions, order, dataset), seed: order.seed, epoch: epoch,
      gradient: leaf.floats, read: { read($0, of: dataset, epoch: epoch, into: $1) })
  }

  /// The samples at some positions of the epoch's order, which are asked for.
  private func take(
    _ positions: Range<Int>, _ order: EpochOrder, _ dataset: any Dataset
  ) -> UnsafeBufferPointer<UInt32> {
    for (place, position) in positions.enumerated() {
      samples[place] = UInt32(order[position])
      dataset.prefetch(order[position])
    }
    return UnsafeBufferPointer(rebasing: samples[..<positions.count])
  }

  /// A sample as training sees it in an epoch.
  private func read(
    _ sample: Int, of dataset: any Dataset, epoch: Int, into pixels: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let label = dataset.read(sample, into: pixels)
    augmenter?.augment(pixels, sample: sample, epoch: epoch)
    return label
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
    let keep: ((Int, UnsafePointer<Float>) -> Void)? = target.map { target in
      { [classes] place, scores in (target + place * classes).update(from: scores, count: classes) }
    }
    let chosen = UnsafeBufferPointer(rebasing: samples[..<indices.count])
    let microbatch =
      viewed?.evaluate(chosen, of: dataset, in: workspace, scores: keep)
      ?? workspace.evaluate(chosen, read: { dataset.read($0, into: $1) }, scores: keep)
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
