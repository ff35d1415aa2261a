import Datasets
import Failures
import NeuralNetwork

extension Network {
  /// Makes sure that the images are of the size that the network was planned for.
  ///
  /// - Throws: `.badData` where they are not.
  func require(_ dataset: any Dataset) throws(Failure) {
    let shape = dataset.imageShape
    let images = FeatureShape(channels: shape.channels, height: shape.height, width: shape.width)
    guard images == inputShape else {
      throw Failure(
        .badData, "\(dataset.origin): images of shape \(images), where the network takes \(inputShape)",
        remedy: "choose training and test images of one size")
    }
  }
}
