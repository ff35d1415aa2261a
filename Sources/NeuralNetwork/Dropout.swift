import Arithmetic

/// Dropout: in training each value is kept with probability 1 − ratio, else 0.
///
/// The mask of a sample depends on the seed, the epoch, the sample's index in the data set and the layer, not on the
/// rank or the batch it comes in. Srivastava et al., "Dropout" (JMLR 2014); the book's form is in its section 6.4.3.
public final class Dropout: Layer {
  /// Where the ratio is made up for.
  public enum Form: String, Sendable {
    /// In prediction: x · (1 − ratio). Training does not rescale.
    case book
    /// In training: x / (1 − ratio). Prediction is the identity.
    case inverted
  }

  public let name: String
  public let outputShape: FeatureShape
  public let ratio: Double
  public let form: Form
  /// Tells the random numbers of a network's dropout layers apart.
  public let index: UInt16
  public var inputLayout: ActivationLayout { ActivationLayout(shape: outputShape, border: 0) }

  /// - Parameter ratio: the probability of a value to be dropped, in [0, 1).
  public init(name: String, inputShape: FeatureShape, ratio: Double, form: Form, index: UInt16) {
    self.name = name
    outputShape = inputShape
    self.ratio = ratio
    self.form = form
    self.index = index
  }

  /// What a kept value is multiplied by in training.
  var trainingScale: Float { form == .inverted ? Float(1 / (1 - ratio)) : 1 }
  /// What every value is multiplied by in prediction.
  public var predictionScale: Float { form == .book ? Float(1 - ratio) : 1 }

  public func makePass(_ connection: LayerConnection) -> LayerPass { DropoutPass(self, connection) }
}

private final class DropoutPass: LayerPass {
  private let layer: Dropout
  private let connection: LayerConnection
  /// 0 or the scale, for each value in the book's order.
  private let masks: UnsafeMutablePointer<Float>
  private let words: UnsafeMutablePointer<UInt32>

  init(_ layer: Dropout, _ connection: LayerConnection) {
    self.layer = layer
    self.connection = connection
    let count = layer.outputShape.count
    masks = connection.arena.allocate(count * connection.samples)
    words = UnsafeMutableRawPointer(connection.arena.allocate(count)).bindMemory(to: UInt32.self, capacity: count)
  }

  func forward(_ group: SampleGroup) {
    let count = layer.outputShape.count
    for sample in 0..<group.count {
      let mask = masks + sample * count
      switch group.mode {
      case .training(let seed, let epoch):
        fillMask(mask, seed: seed, epoch: epoch, sample: group.samples[sample])
      case .prediction:
        mask.update(repeating: layer.predictionScale, count: count)
      }
      multiply(connection.input, connection.output, sample, mask, onlyPositive: nil)
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    guard let inputGradient = connection.inputGradient else { return }
    let count = layer.outputShape.count
    for sample in 0..<group.count {
      multiply(
        connection.outputGradient, inputGradient, sample, masks + sample * count,
        onlyPositive: connection.inputIsRectified ? connection.input : nil)
    }
  }

  /// A value is kept where u > ratio, u = word · 2^-32 uniform in [0, 1).
  private func fillMask(_ mask: UnsafeMutablePointer<Float>, seed: UInt64, epoch: Int, sample: UInt32) {
    var stream = RandomStream(
      seed: seed, purpose: .dropout, layer: layer.index, first: UInt32(truncatingIfNeeded: epoch), second: sample)
    // For whole numbers, word > ratio · 2^32 is word > ⌊ratio · 2^32⌋.
    let threshold = UInt32(layer.ratio * 0x1p32)
    let scale = layer.trainingScale
    let count = layer.outputShape.count
    stream.fill(words, count: count)
    for i in 0..<count { mask[i] = words[i] > threshold ? scale : 0 }
  }

  private func multiply(
    _ source: Activation, _ destination: Activation, _ sample: Int, _ mask: UnsafePointer<Float>,
    onlyPositive activation: Activation?
  ) {
    let shape = layer.outputShape
    let from = source.base + sample * source.layout.sampleStride
    let to = destination.base + sample * destination.layout.sampleStride
    let positive = activation.map { UnsafePointer($0.base + sample * $0.layout.sampleStride) }
    // A vector lies the same way in every layout without a border, one value after another.
    let isVector = shape.height == 1 && shape.width == 1 && source.layout.border == 0 && destination.layout.border == 0
    var i = 0
    for channel in 0..<shape.channels {
      if isVector {
        to[channel] = positive.map { $0[channel] > 0 } ?? true ? from[channel] * mask[channel] : 0
        continue
      }
      for row in 0..<shape.height {
        for column in 0..<shape.width {
          var value = from[source.layout.offset(channel: channel, row: row, column: column)] * mask[i]
          if let positive, let activation,
            !(positive[activation.layout.offset(channel: channel, row: row, column: column)] > 0)
          {
            value = 0
          }
          to[destination.layout.offset(channel: channel, row: row, column: column)] = value
          i += 1
        }
      }
    }
  }
}
