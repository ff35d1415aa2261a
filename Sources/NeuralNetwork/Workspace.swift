import Kernels

/// One thread's way through a network: the activations of a group of samples, and each layer's pass over them.
///
/// Buffers are planned here, once; a pass allocates nothing.
public final class Workspace {
  let network: Network
  private let arena = Arena()
  private let passes: [any LayerPass]
  /// activations[i] enters layer i; the last are the scores.
  let activations: [Activation]
  let gradients: [Activation?]
  private let loss: SoftmaxCrossEntropy
  private let pixels: UnsafeMutablePointer<UInt8>
  private let labels: UnsafeMutablePointer<Int>
  /// Told what is being done, if set.
  public var observer: (any WorkspaceObserver)?

  /// Reads a sample: writes its pixels, [channel][row][column], and returns its label.
  public typealias SampleReader = (_ index: Int, _ pixels: UnsafeMutablePointer<UInt8>) -> Int

  init(_ network: Network) {
    self.network = network
    let layers = network.segment.layers
    let samples = Network.groupSize
    var activations: [Activation] = []
    var gradients: [Activation?] = []
    for (index, layer) in layers.enumerated() {
      activations.append(Activation(layout: layer.inputLayout, samples: samples, arena: arena))
      guard index > 0 else {
        gradients.append(nil)
        continue
      }
      gradients.append(
        Self.mayReplace(layers[index - 1], layer)
          ? activations[index]
          : Activation(
            layout: ActivationLayout(shape: layer.inputLayout.shape, border: 0), samples: samples, arena: arena))
    }
    let scores = ActivationLayout(shape: FeatureShape(features: network.classes), border: 0)
    activations.append(Activation(layout: scores, samples: samples, arena: arena))
    gradients.append(Activation(layout: scores, samples: samples, arena: arena))
    var scratch: [UnsafeMutablePointer<Float>] = []
    let counts = layers.map { $0.scratchCounts(samples: samples) }
    for slot in 0..<(counts.map(\.count).max() ?? 0) {
      scratch.append(arena.allocate(counts.map { slot < $0.count ? $0[slot] : 0 }.max() ?? 0))
    }
    var passes: [any LayerPass] = []
    for (index, layer) in layers.enumerated() {
      guard let outputGradient = gradients[index + 1] else { continue }
      passes.append(
        layer.makePass(
          LayerConnection(
            input: activations[index], inputGradient: gradients[index],
            inputIsRectified: index > 0 && layers[index - 1].outputIsRectified, output: activations[index + 1],
            outputGradient: outputGradient, samples: samples, scratch: scratch, arena: arena)))
    }
    self.activations = activations
    self.gradients = gradients
    self.passes = passes
    loss = SoftmaxCrossEntropy(classes: network.classes, labelSmoothing: network.labelSmoothing)
    pixels = .allocate(capacity: network.inputShape.count)
    labels = .allocate(capacity: samples)
  }

  /// Whether what goes from a layer to the next may be replaced by its gradient.
  private static func mayReplace(_ layer: any Layer, _ next: any Layer) -> Bool {
    guard let first = layer as? any ReplaceableActivations, let second = next as? any ReplaceableActivations else {
      return false
    }
    return first.outputMayBeReplaced && second.inputMayBeReplaced(rectified: layer.outputIsRectified)
  }

  deinit {
    pixels.deallocate()
    labels.deallocate()
  }

  /// The gradient of the sum of a microbatch's losses; not divided by the number of samples.
  ///
  /// Depends on the samples, their order, the parameters, seed and epoch, and on nothing else.
  ///
  /// - Parameters:
  ///   - samples: indices in the data set; at least one.
  ///   - gradient: `parameters.paddedCount` floats, of which the first `count` are written over.
  public func computeGradient(
    of samples: UnsafeBufferPointer<UInt32>, seed: UInt64, epoch: Int, gradient: UnsafeMutablePointer<Float>,
    read: SampleReader
  ) -> MicrobatchStatistics {
    var statistics = MicrobatchStatistics()
    guard let first = samples.baseAddress else { return statistics }
    let offsets = network.segment.parameterOffsets
    for pass in passes { pass.begin() }
    forEachPart(of: samples.count, limit: Network.groupSize) { start, count in
      let group = SampleGroup(
        count: count, isFirst: start == 0, isLast: start + count == samples.count,
        mode: .training(seed: seed, epoch: epoch), samples: first + start)
      load(group, read)
      forward(group)
      addLoss(group, to: &statistics, withGradient: true)
      var layer = passes.count - 1
      while layer >= 0 {
        observer?.enters(.backward(layer: layer))
        passes[layer].backward(group, gradient: gradient + offsets[layer])
        layer -= 1
      }
    }
    for layer in passes.indices {
      observer?.enters(.completion(layer: layer))
      passes[layer].finish(gradient: gradient + offsets[layer])
    }
    observer?.enters(.idle)
    return statistics
  }

  /// Loss and right answers of some samples in prediction.
  ///
  /// - Parameter scores: called with each sample's place in `samples` and its scores, [classes], if given.
  public func evaluate(
    _ samples: UnsafeBufferPointer<UInt32>, read: SampleReader,
    scores: ((_ place: Int, _ scores: UnsafePointer<Float>) -> Void)? = nil
  ) -> MicrobatchStatistics {
    var statistics = MicrobatchStatistics()
    guard let first = samples.baseAddress else { return statistics }
    forEachPart(of: samples.count, limit: Network.groupSize) { start, count in
      let group = SampleGroup(
        count: count, isFirst: start == 0, isLast: start + count == samples.count, mode: .prediction,
        samples: first + start)
      load(group, read)
      forward(group)
      addLoss(group, to: &statistics, withGradient: false)
      if let scores {
        for i in 0..<count { scores(start + i, UnsafePointer(activations[passes.count].start(of: i))) }
      }
    }
    observer?.enters(.idle)
    return statistics
  }

  private func load(_ group: SampleGroup, _ read: SampleReader) {
    observer?.enters(.loading)
    let input = activations[0]
    let shape = network.inputShape
    for i in 0..<group.count {
      labels[i] = read(Int(group.samples[i]), pixels)
      if input.layout.arrangement == .planar {
        for channel in 0..<shape.channels {
          normalizePixels(
            pixels + channel * shape.height * shape.width, rows: shape.height, columns: shape.width,
            to: input.start(of: i) + channel * input.layout.blockStride, rowStride: input.layout.rowStride)
        }
      } else {
        loadBlocked(i, input)
      }
    }
  }

  private func loadBlocked(_ sample: Int, _ input: Activation) {
    let shape = network.inputShape
    var next = 0
    for channel in 0..<shape.channels {
      for row in 0..<shape.height {
        for column in 0..<shape.width {
          let offset = input.layout.offset(channel: channel, row: row, column: column)
          input.base[sample * input.layout.sampleStride + offset] = Float(pixels[next]) / 255
          next += 1
        }
      }
    }
  }

  private func forward(_ group: SampleGroup) {
    for layer in passes.indices {
      observer?.enters(.forward(layer: layer))
      passes[layer].forward(group)
    }
  }

  private func addLoss(_ group: SampleGroup, to statistics: inout MicrobatchStatistics, withGradient: Bool) {
    observer?.enters(.loss)
    let scores = activations[passes.count]
    let gradient = gradients[passes.count]
    for i in 0..<group.count {
      loss.add(
        scores: scores.start(of: i), label: labels[i],
        gradient: withGradient ? gradient?.start(of: i) : nil, to: &statistics)
    }
  }
}
