import Arithmetic
import NeuralNetwork

/// The layers as the textbook writes them, in double, sample by sample: slow, plain, and sharing no code with the kernels.
struct ReferenceNetwork {
  let layers: [LayerDescription]
  let inputShape: FeatureShape

  /// Scores of one sample.
  ///
  /// - Parameters:
  ///   - parameters: W1, b1, W2, … in the book's shapes, one after the other.
  ///   - mode: dropout draws the masks that its definition says: u > ratio, u the sample's random words times 2^-32.
  func scores(parameters: [Double], image: [Double], sample: UInt32, mode: PassMode) -> [Double] {
    var values = image
    var shape = inputShape
    var next = 0
    var dropouts: UInt16 = 0
    for layer in layers {
      switch layer {
      case .convolution(let filters, let size, let padding, let stride):
        let weights = Array(parameters[next..<(next + filters * shape.channels * size * size)])
        next += weights.count
        let bias = Array(parameters[next..<(next + filters)])
        next += filters
        (values, shape) = Self.convolve(values, shape, weights, bias, filters, size, padding, stride)
      case .relu:
        values = values.map { max(0, $0) }
      case .maxPooling(let size, let stride):
        (values, shape) = Self.pool(values, shape, size, stride)
      case .affine(let outputs):
        var result = Array(parameters[(next + values.count * outputs)..<(next + (values.count + 1) * outputs)])
        for (k, value) in values.enumerated() {
          for j in 0..<outputs { result[j] += value * parameters[next + k * outputs + j] }
        }
        next += (values.count + 1) * outputs
        values = result
        shape = FeatureShape(features: outputs)
      case .dropout(let ratio, let form):
        switch mode {
        case .training(let seed, let epoch):
          var stream = RandomStream(
            seed: seed, purpose: .dropout, layer: dropouts, first: UInt32(epoch), second: sample)
          values = values.map {
            let kept = Double(stream.nextUInt32()) * 0x1p-32 > ratio
            return kept ? (form == .inverted ? $0 / (1 - ratio) : $0) : 0
          }
        case .prediction:
          if form == .book { values = values.map { $0 * (1 - ratio) } }
        }
        dropouts += 1
      case .custom:
        preconditionFailure("the reference knows the built-in layers only")
      }
    }
    return values
  }

  /// Sum of the samples' cross-entropies.
  func lossSum(parameters: [Double], images: [[Double]], labels: [Int], mode: PassMode) -> Double {
    var sum = 0.0
    for (sample, (image, label)) in zip(images, labels).enumerated() {
      let scores = scores(parameters: parameters, image: image, sample: UInt32(sample), mode: mode)
      let largest = scores.max() ?? 0
      let total = scores.reduce(0) { $0 + ElementaryFunctions.exponential($1 - largest) }
      sum += ElementaryFunctions.logarithm(total) + largest - scores[label]
    }
    return sum
  }

  private static func convolve(
    _ input: [Double], _ shape: FeatureShape, _ weights: [Double], _ bias: [Double], _ filters: Int, _ size: Int,
    _ padding: Int, _ stride: Int
  ) -> ([Double], FeatureShape) {
    let height = (shape.height + 2 * padding - size) / stride + 1
    let width = (shape.width + 2 * padding - size) / stride + 1
    var output: [Double] = []
    for filter in 0..<filters {
      for y in 0..<height {
        for x in 0..<width {
          var sum = bias[filter]
          for channel in 0..<shape.channels {
            for i in 0..<size {
              for j in 0..<size {
                let row = y * stride + i - padding
                let column = x * stride + j - padding
                guard row >= 0, row < shape.height, column >= 0, column < shape.width else { continue }
                sum +=
                  input[(channel * shape.height + row) * shape.width + column]
                  * weights[((filter * shape.channels + channel) * size + i) * size + j]
              }
            }
          }
          output.append(sum)
        }
      }
    }
    return (output, FeatureShape(channels: filters, height: height, width: width))
  }

  private static func pool(
    _ input: [Double], _ shape: FeatureShape, _ size: Int, _ stride: Int
  ) -> ([Double], FeatureShape) {
    let height = (shape.height - size) / stride + 1
    let width = (shape.width - size) / stride + 1
    var output: [Double] = []
    for channel in 0..<shape.channels {
      for y in 0..<height {
        for x in 0..<width {
          var largest = -Double.infinity
          for i in 0..<size {
            for j in 0..<size {
              largest = max(
                largest, input[(channel * shape.height + y * stride + i) * shape.width + x * stride + j])
            }
          }
          output.append(largest)
        }
      }
    }
    return (output, FeatureShape(channels: shape.channels, height: height, width: width))
  }
}
