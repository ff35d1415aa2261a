import Arithmetic
import NeuralNetwork

/// A network with random parameters and random images, beside its reference.
struct TestNetwork {
  let network: Network
  let reference: ReferenceNetwork
  let images: [[UInt8]]
  let labels: [Int]

  init(
    inputShape: FeatureShape, layers: [LayerDescription], samples: Int, seed: UInt64, fused: Bool = true
  ) throws {
    network = try Network(inputShape: inputShape, layers: layers, fused: fused)
    reference = ReferenceNetwork(layers: layers, inputShape: inputShape)
    network.parameters.initialize(seed: seed)
    var random = RandomStream(seed: seed, purpose: .test)
    // Biases too, so that their place and sign matter.
    for tensor in network.parameters.tensors where tensor.fanIn == 0 {
      for i in network.parameters.values(of: tensor).indices {
        network.parameters.values(of: tensor)[i] = Float(0.2 * random.nextNormal())
      }
    }
    network.prepareParameters()
    var images: [[UInt8]] = []
    var labels: [Int] = []
    for _ in 0..<samples {
      images.append((0..<inputShape.count).map { _ in UInt8(random.next(below: 256)) })
      labels.append(Int(random.next(below: UInt32(network.classes))))
    }
    self.images = images
    self.labels = labels
  }

  var parameters: [Double] { (0..<network.parameters.count).map { Double(network.parameters.values[$0]) } }
  var referenceImages: [[Double]] { images.map { $0.map { Double($0) / 255 } } }

  func read(_ index: Int, _ pixels: UnsafeMutablePointer<UInt8>) -> Int {
    for (i, value) in images[index].enumerated() { pixels[i] = value }
    return labels[index]
  }

  /// Gradient of the sum of the losses of the samples named.
  func gradient(
    of samples: [UInt32], epoch: Int = 0, in workspace: Workspace? = nil
  ) -> (gradient: [Float], statistics: MicrobatchStatistics) {
    let workspace = workspace ?? network.makeWorkspace()
    // Not zero before: a layer that does not write all of its part is found out.
    var gradient = [Float](repeating: 99, count: network.parameters.paddedCount)
    let statistics = gradient.withUnsafeMutableBufferPointer { buffer in
      samples.withUnsafeBufferPointer { samples in
        workspace.computeGradient(
          of: samples, seed: 3, epoch: epoch, gradient: buffer.baseAddress.unsafelyUnwrapped, read: read)
      }
    }
    return (Array(gradient[..<network.parameters.count]), statistics)
  }

  func scores(
    of samples: [UInt32], in workspace: Workspace? = nil
  ) -> (scores: [[Float]], statistics: MicrobatchStatistics) {
    let workspace = workspace ?? network.makeWorkspace()
    var scores = [[Float]](repeating: [], count: samples.count)
    let statistics = samples.withUnsafeBufferPointer { samples in
      workspace.evaluate(samples, read: read) { place, values in
        scores[place] = Array(UnsafeBufferPointer(start: values, count: network.classes))
      }
    }
    return (scores, statistics)
  }

  /// Largest difference between the gradient and numerical differentiation of the reference, relative to the largest
  /// gradient of the same tensor, over the places given (all if nil).
  func gradientError(places: [Int]? = nil) -> Double {
    let samples = (0..<images.count).map { UInt32($0) }
    let gradient = gradient(of: samples).gradient
    let mode = PassMode.training(seed: 3, epoch: 0)
    let step = 1e-6
    var parameters = parameters
    var worst = 0.0
    for tensor in network.parameters.tensors {
      let range = tensor.offset..<(tensor.offset + tensor.count)
      let largest = Double(gradient[range].map { abs($0) }.max() ?? 0)
      for place in places?.filter({ range.contains($0) }) ?? Array(range) {
        let value = parameters[place]
        parameters[place] = value + step
        let above = reference.lossSum(parameters: parameters, images: referenceImages, labels: labels, mode: mode)
        parameters[place] = value - step
        let below = reference.lossSum(parameters: parameters, images: referenceImages, labels: labels, mode: mode)
        parameters[place] = value
        let numerical = (above - below) / (2 * step)
        worst = max(worst, abs(numerical - Double(gradient[place])) / max(largest, 1e-3))
      }
    }
    return worst
  }
}

/// A random network of a few small layers, of any kind, that fits its input.
func randomLayers(_ random: inout RandomStream, inputShape: FeatureShape) -> [LayerDescription] {
  var layers: [LayerDescription] = []
  var shape = inputShape
  for _ in 0...Int(random.next(below: 3)) {
    let size = [1, 2, 3, 3, 3, 5][Int(random.next(below: 6))]
    let padding = Int(random.next(below: UInt32(min(size, 3))))
    let stride = random.next(below: 4) == 0 ? 2 : 1
    guard shape.height + 2 * padding >= size, shape.width + 2 * padding >= size else { continue }
    let filters = Int(random.next(below: 20)) + 1
    layers.append(.convolution(filters: filters, size: size, padding: padding, stride: stride))
    shape = FeatureShape(
      channels: filters, height: (shape.height + 2 * padding - size) / stride + 1,
      width: (shape.width + 2 * padding - size) / stride + 1)
    if random.next(below: 4) > 0 { layers.append(.relu) }
    if shape.height >= 3, shape.width >= 3, random.next(below: 2) == 0 {
      let (size, stride) = [(2, 2), (2, 2), (3, 2), (2, 1)][Int(random.next(below: 4))]
      layers.append(.maxPooling(size: size, stride: stride))
      shape = FeatureShape(
        channels: filters, height: (shape.height - size) / stride + 1, width: (shape.width - size) / stride + 1)
    }
    if random.next(below: 4) == 0 { layers.append(.dropout(ratio: 0.3, form: .inverted)) }
  }
  if random.next(below: 2) == 0 {
    layers += [.affine(outputs: Int(random.next(below: 20)) + 1), .relu, .dropout(ratio: 0.5, form: .book)]
  }
  return layers + [.affine(outputs: Int(random.next(below: 9)) + 2), .dropout(ratio: 0.2, form: .book)]
}
