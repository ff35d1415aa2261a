import Augmentation
import Datasets
import NeuralNetwork

/// How prediction looks at a sample more than once: at the image, then at copies such as training saw.
public struct TestTimeAugmentation: Equatable, Sendable {
  /// Looks at a sample, the first at the image as it is; 2 or more.
  public var views: Int
  /// How far copies depart from the image.
  public var augmentation: AugmentationSettings
  /// Key of the copies: with the sample's index and the number of the look it says all about one.
  public var seed: UInt64

  public init(views: Int, augmentation: AugmentationSettings, seed: UInt64) {
    self.views = views
    self.augmentation = augmentation
    self.seed = seed
  }
}

/// What one thread needs to look at samples more than once.
final class ViewedSamples {
  private let views: Int
  private let augmenter: Augmenter
  private let mean: ProbabilityMean

  init(_ settings: TestTimeAugmentation, capacity: Int, network: Network) {
    views = settings.views
    let shape = network.inputShape
    augmenter = Augmenter(
      settings.augmentation, channels: shape.channels, height: shape.height, width: shape.width, seed: settings.seed,
      purpose: .testTimeAugmentation)
    mean = ProbabilityMean(capacity: capacity, classes: network.classes)
  }

  /// - Parameter samples: indices in the data set, one after another.
  func evaluate(
    _ samples: UnsafeBufferPointer<UInt32>, of dataset: any Dataset, in workspace: Workspace,
    scores: ((_ place: Int, _ scores: UnsafePointer<Float>) -> Void)?
  ) -> MicrobatchStatistics {
    mean.clear()
    let first = samples.first.map { Int($0) } ?? 0
    for view in 0..<views {
      _ = workspace.evaluate(
        samples,
        read: { [augmenter, mean] index, pixels in
          let label = dataset.read(index, into: pixels)
          mean.setLabel(label, at: index - first)
          if view > 0 { augmenter.augment(pixels, sample: index, epoch: view) }
          return label
        },
        scores: { [mean] place, scores in mean.add(scores, at: place) })
    }
    return mean.statistics(samples: samples.count, looks: views, receive: scores)
  }
}
