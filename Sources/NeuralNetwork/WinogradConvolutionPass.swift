import Kernels

/// A 3x3 convolution by Winograd's F(4x4, 3x3), forward, backward to the input and backward to the weights.
///
/// The gradient of the weights is summed over a microbatch in the transformed domain and transformed back once.
final class WinogradConvolutionPass: LayerPass {
  private let layer: Convolution
  private let connection: LayerConnection
  private let kernels: WinogradKernels
  private let samplesAtOnce: Int
  /// Transformed inputs, transformed gradients, products: shared with other layers.
  private let inputs: UnsafeMutablePointer<Float>
  private let gradients: UnsafeMutablePointer<Float>
  private let products: UnsafeMutablePointer<Float>
  /// The transformed inputs of a group, which the gradient of the weights needs once more, where they are few enough to be
  /// near until then.
  private let keptInputs: UnsafeMutablePointer<Float>?
  private let scratch: UnsafeMutablePointer<Float>
  private let zeroRow: UnsafeMutablePointer<Float>
  private let weightGradients: UnsafeMutablePointer<Float>
  private let weightGradientPanels: UnsafeMutablePointer<Float>
  private let biasGradients: UnsafeMutablePointer<Float>
  /// Whether one product held the whole microbatch, and the gradient is already what `finish` makes of it.
  private var gradientIsComplete = false
  /// Where each pooled value came from, [sample][block][row][column][8].
  private let places: UnsafeMutablePointer<Int32>
  private let placeCount: Int

  /// Samples whose transforms fit the second-level cache together: the bytes of one sample's transformed inputs and
  /// products against 400 KiB. Fixed by the shape, since it enters the bits of the weights' gradient.
  private static func samplesAtOnce(_ layer: Convolution, limit: Int) -> Int {
    let forward = layer.forwardShape(samples: 1)
    let bytes = 36 * 4 * forward.tiles * (forward.inputChannels + forward.outputChannels)
    return max(1, min(limit, (400 << 10) / bytes))
  }

  /// Bytes of a group's transformed inputs up to which to read them again is faster than to transform them again. (What
  /// only predicts keeps them too, and is as fast.)
  private static let largestKept = 1 << 20

  static func scratchCounts(_ layer: Convolution, samples: Int) -> [Int] {
    let samples = samplesAtOnce(layer, limit: samples)
    let forward = layer.forwardShape(samples: samples)
    let backward = layer.backwardShape(samples: samples)
    return [
      36 * forward.inputStride, 36 * forward.outputStride, 36 * max(forward.outputStride, backward.outputStride),
    ]
  }

  init(_ layer: Convolution, _ connection: LayerConnection) {
    self.layer = layer
    self.connection = connection
    kernels = layer.winogradKernels
    samplesAtOnce = Self.samplesAtOnce(layer, limit: connection.samples)
    inputs = connection.scratch[0]
    gradients = connection.scratch[1]
    products = connection.scratch[2]
    let arena = connection.arena
    let groupCount = connection.samples * 36 * layer.forwardShape(samples: 1).inputStride
    keptInputs = groupCount * 4 <= Self.largestKept ? arena.allocate(groupCount) : nil
    let columns = layer.tileColumns
    scratch = arena.allocate(
      max(
        WinogradPlane.scratchCount(tileColumns: columns, channelBlocks: (layer.filters + 7) / 8),
        WinogradPlane.inputGradientScratchCount(
          tileColumns: columns, channelBlocks: (layer.inputShape.channels + 7) / 8)))
    weightGradients = arena.allocate(
      max(36 * layer.forwardShape(samples: 1).weightStride, winogradGradientBlockCount))
    weightGradientPanels = arena.allocate(winogradGradientPanelCount)
    biasGradients = arena.allocate((layer.filters + 15) / 16 * 16)
    placeCount = ActivationLayout(shape: layer.outputShape, border: 0).sampleStride
    if layer.epilogue == .reluAndPooling {
      places = UnsafeMutableRawPointer(arena.allocate(placeCount * connection.samples))
        .bindMemory(to: Int32.self, capacity: placeCount * connection.samples)
    } else {
      places = UnsafeMutableRawPointer(arena.allocate(0)).bindMemory(to: Int32.self, capacity: 0)
    }
    let blockStride = max(connection.input.layout.blockStride, connection.outputGradient.layout.blockStride)
    zeroRow = arena.allocate(WinogradPlane.zeroRowCount(tileColumns: columns, blockStride: blockStride))
  }

  func begin() { biasGradients.update(repeating: 0, count: layer.filters) }

  func forward(_ group: SampleGroup) {
    forEachPart(of: group.count, limit: samplesAtOnce) { first, count in
      let shape = layer.forwardShape(samples: count)
      let tiles = shape.tiles / count
      let transformed = transformedInputs(ofPartFrom: first)
      transformInputs(first, count, shape, to: transformed)
      kernels.product(shape, inputs: transformed, weights: layer.forwardWeights.unsafelyUnwrapped, products: products)
      for i in 0..<count {
        let tile = products + i * tiles * shape.outputChannels
        let output = connection.output.start(of: first + i)
        if layer.epilogue == .reluAndPooling {
          kernels.pooledOutputTransform(
            plane(connection.output.layout, shape: layer.convolvedShape), products: tile,
            channels: shape.outputChannels, frequencyStride: shape.outputStride, bias: layer.bias,
            destination: output, places: places + (first + i) * placeCount, scratch: scratch)
        } else {
          kernels.outputTransform(
            plane(connection.output.layout, shape: layer.convolvedShape), products: tile,
            channels: shape.outputChannels, frequencyStride: shape.outputStride, destination: output,
            epilogue: layer.epilogue == .relu ? .biasAndReLU(layer.bias) : .bias(layer.bias), scratch: scratch)
        }
      }
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    forEachPart(of: group.count, limit: samplesAtOnce) { first, count in
      gradientIsComplete = group.isFirst && group.isLast && count == group.count
      transformGradients(first, count)
      gatherWeightGradient(first, count, adding: !(group.isFirst && first == 0), gradient: gradient)
      if let inputGradient = connection.inputGradient { propagate(first, count, to: inputGradient) }
    }
  }

  func finish(gradient: UnsafeMutablePointer<Float>) {
    let shape = layer.forwardShape(samples: 1)
    let channels = layer.inputShape.channels
    if !gradientIsComplete {
      kernels.weightGradientTransform(
        gradients: weightGradients, inputChannels: channels, paddedInputChannels: shape.inputChannels,
        filters: layer.filters, frequencyStride: shape.weightStride, panels: weightGradientPanels, matrix: gradient)
    }
    (gradient + layer.filters * channels * 9).update(from: biasGradients, count: layer.filters)
  }

  private func transformedInputs(ofPartFrom first: Int) -> UnsafeMutablePointer<Float> {
    keptInputs.map { $0 + first * 36 * layer.forwardShape(samples: 1).inputStride } ?? inputs
  }

  private func transformInputs(
    _ first: Int, _ count: Int, _ shape: WinogradProductShape, to destination: UnsafeMutablePointer<Float>
  ) {
    let layout = connection.input.layout
    let plane = WinogradPlane(
      blockStride: layout.blockStride, rowStride: layout.rowStride, rows: layer.inputShape.height + 2 * layer.padding,
      columns: layer.inputShape.width + 2 * layer.padding, channelBlocks: layout.blocks, tileRows: layer.tileRows,
      tileColumns: layer.tileColumns)
    for i in 0..<count {
      kernels.inputTransform(
        plane, source: connection.input.start(of: first + i, outside: layer.padding),
        destination: destination + i * (shape.tiles / count) * shape.inputChannels, channels: shape.inputChannels,
        frequencyStride: shape.inputStride, scratch: scratch, zeroRow: zeroRow)
    }
  }

  /// The gradients of the output, for both products; the gradient of the bias on the way.
  private func transformGradients(_ first: Int, _ count: Int) {
    let shape = layer.forwardShape(samples: count)
    let gradientPlane = plane(connection.outputGradient.layout, shape: layer.convolvedShape)
    for i in 0..<count {
      let source = connection.outputGradient.start(of: first + i)
      let destination = gradients + i * (shape.tiles / count) * shape.outputChannels
      if layer.epilogue == .reluAndPooling {
        kernels.pooledGradientTransform(
          gradientPlane, source: source, places: places + (first + i) * placeCount, destination: destination,
          channels: shape.outputChannels, frequencyStride: shape.outputStride, biasGradient: biasGradients,
          scratch: scratch)
      } else {
        kernels.gradientTransform(
          gradientPlane, source: source, destination: destination, channels: shape.outputChannels,
          frequencyStride: shape.outputStride, biasGradient: biasGradients, scratch: scratch, zeroRow: zeroRow)
      }
    }
  }

  private func gatherWeightGradient(
    _ first: Int, _ count: Int, adding: Bool, gradient: UnsafeMutablePointer<Float>
  ) {
    let shape = layer.forwardShape(samples: count)
    let transformed = transformedInputs(ofPartFrom: first)
    if keptInputs == nil { transformInputs(first, count, shape, to: transformed) }
    if gradientIsComplete {
      kernels.weightGradient(
        shape, inputs: transformed, gradients: gradients, channels: layer.inputShape.channels,
        filters: layer.filters, block: weightGradients, panels: weightGradientPanels, matrix: gradient)
    } else {
      kernels.weightGradientProduct(
        shape, inputs: transformed, gradients: gradients, weightGradients: weightGradients, adding: adding)
    }
  }

  /// The gradient of the input, by the adjoint of the forward pass.
  private func propagate(_ first: Int, _ count: Int, to inputGradient: Activation) {
    let shape = layer.backwardShape(samples: count)
    kernels.product(shape, inputs: gradients, weights: layer.backwardWeights.unsafelyUnwrapped, products: products)
    let activation = connection.input
    for i in 0..<count {
      kernels.inputGradientTransform(
        plane(inputGradient.layout, shape: layer.inputShape), padding: layer.padding,
        products: products + i * (shape.tiles / count) * shape.outputChannels, channels: shape.outputChannels,
        frequencyStride: shape.outputStride, destination: inputGradient.start(of: first + i),
        mask: connection.inputIsRectified
          ? WinogradMask(
            activation: activation.start(of: first + i), blockStride: activation.layout.blockStride,
            rowStride: activation.layout.rowStride) : nil,
        scratch: scratch)
    }
  }

  /// The forward tiles over a layout whose rows and columns are those of `shape`.
  private func plane(_ layout: ActivationLayout, shape: FeatureShape) -> WinogradPlane {
    WinogradPlane(
      blockStride: layout.blockStride, rowStride: layout.rowStride, rows: shape.height, columns: shape.width,
      channelBlocks: layout.blocks, tileRows: layer.tileRows, tileColumns: layer.tileColumns)
  }
}
