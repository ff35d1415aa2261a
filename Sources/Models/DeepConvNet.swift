import Failures
import NeuralNetwork

/// `DeepConvNet` of "Deep Learning from Scratch", chapter 8: six convolutions with ReLU, pooling after every second,
/// two affine layers with dropout after each.
///
/// Other sizes make its relatives: fewer, larger filters, or more and smaller ones between two poolings.
public struct DeepConvNet: Sendable {
  /// Filters, filter size, padding and stride of each convolution; all lists are equally long.
  public var filters = [16, 16, 32, 32, 64, 64]
  public var filterSizes = [3, 3, 3, 3, 3, 3]
  public var paddings = [1, 1, 1, 2, 1, 1]
  public var strides = [1, 1, 1, 1, 1, 1]
  /// Convolutions from one pooling to the next.
  public var poolingInterval = 2
  public var hiddenSize = 50
  public var outputSize = 10
  public var dropoutRatio = 0.5
  public var dropoutForm = Dropout.Form.book
  public var kernels = Convolution.Kernels.byShape

  public init() {}

  public var layers: [LayerDescription] {
    var layers: [LayerDescription] = []
    for i in filters.indices {
      layers += [
        .convolution(filters: filters[i], size: filterSizes[i], padding: paddings[i], stride: strides[i]), .relu,
      ]
      if (i + 1) % poolingInterval == 0 { layers.append(.maxPooling(size: 2, stride: 2)) }
    }
    return layers + [
      .affine(outputs: hiddenSize), .relu, .dropout(ratio: dropoutRatio, form: dropoutForm),
      .affine(outputs: outputSize), .dropout(ratio: dropoutRatio, form: dropoutForm),
    ]
  }

  /// - Throws: `.configuration` where the sizes do not fit the images.
  public func network(inputShape: FeatureShape) throws(Failure) -> Network {
    try Network(inputShape: inputShape, layers: layers, kernels: kernels)
  }
}
