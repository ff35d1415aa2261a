import Testing

@testable import Kernels
@testable import WideKernels

/// Each kernel of WideKernels writes the bits that the one of Kernels writes, over random shapes.
@Suite(.enabled(if: VectorWidth.used == .bits512, "no vectors of 512 bits here"))
struct WideKernelsTests {
  private static func shape(_ random: inout TestRandom) -> WinogradProductShape {
    WinogradProductShape(
      tiles: random.next(1...60), inputChannels: 16 * random.next(1...5), outputChannels: 16 * random.next(1...5))
  }

  /// What both write to memory that was the same before, from the same operands.
  private func expectSameBits(
    _ count: Int, _ narrow: (UnsafeMutablePointer<Float>) -> Void, _ wide: (UnsafeMutablePointer<Float>) -> Void
  ) {
    var random = TestRandom(count)
    let before = Memory(count, random: &random)
    let (first, second) = (Memory(count), Memory(count))
    first.pointer.update(from: before.pointer, count: count)
    second.pointer.update(from: before.pointer, count: count)
    narrow(first.pointer)
    wide(second.pointer)
    #expect(first.array != before.array)
    #expect(first.array.map(\.bitPattern) == second.array.map(\.bitPattern))
  }

  @Test(arguments: 0..<30) func products(seed: Int) {
    var random = TestRandom(seed)
    let shape = Self.shape(&random)
    let inputs = Memory(36 * shape.inputStride, random: &random)
    let weights = Memory(36 * shape.weightStride, random: &random)
    expectSameBits(36 * shape.outputStride) {
      Kernels.winogradProduct(shape, inputs: inputs.pointer, weights: weights.pointer, products: $0)
    } _: {
      WideKernels.winogradProduct(shape, inputs: inputs.pointer, weights: weights.pointer, products: $0)
    }
  }

  @Test(arguments: 0..<30) func weightGradientProducts(seed: Int) {
    var random = TestRandom(seed)
    let shape = Self.shape(&random)
    let inputs = Memory(36 * shape.inputStride, random: &random)
    let gradients = Memory(36 * shape.outputStride, random: &random)
    for adding in [false, true] {
      expectSameBits(36 * shape.weightStride) {
        Kernels.winogradWeightGradientProduct(
          shape, inputs: inputs.pointer, gradients: gradients.pointer, weightGradients: $0, adding: adding)
      } _: {
        WideKernels.winogradWeightGradientProduct(
          shape, inputs: inputs.pointer, gradients: gradients.pointer, weightGradients: $0, adding: adding)
      }
    }
    let block = Memory(winogradGradientBlockCount)
    let panels = Memory(winogradGradientPanelCount)
    let (channels, filters) = (shape.inputChannels, shape.outputChannels)
    expectSameBits(filters * channels * 9) {
      Kernels.winogradWeightGradient(
        shape, inputs: inputs.pointer, gradients: gradients.pointer, channels: channels, filters: filters,
        block: block.pointer, panels: panels.pointer, matrix: $0)
    } _: {
      WideKernels.winogradWeightGradient(
        shape, inputs: inputs.pointer, gradients: gradients.pointer, channels: channels, filters: filters,
        block: block.pointer, panels: panels.pointer, matrix: $0)
    }
  }

  @Test(arguments: 0..<20) func weightTransforms(seed: Int) {
    var random = TestRandom(seed)
    let shape = Self.shape(&random)
    let (channels, blocks) = (shape.inputChannels, shape.outputChannels / 8)
    let panels = Memory(blocks * channels * 72, random: &random)
    expectSameBits(36 * shape.weightStride) {
      Kernels.winogradWeightTransform(
        panels: panels.pointer, inputChannels: channels, paddedInputChannels: channels, outputBlocks: blocks,
        weights: $0, frequencyStride: shape.weightStride)
    } _: {
      WideKernels.winogradWeightTransform(
        panels: panels.pointer, inputChannels: channels, paddedInputChannels: channels, outputBlocks: blocks,
        weights: $0, frequencyStride: shape.weightStride)
    }
    let gradients = Memory(36 * shape.weightStride, random: &random)
    let back = Memory(winogradGradientPanelCount)
    expectSameBits(shape.outputChannels * channels * 9) {
      Kernels.winogradWeightGradientTransform(
        gradients: gradients.pointer, inputChannels: channels, paddedInputChannels: channels,
        filters: shape.outputChannels, frequencyStride: shape.weightStride, panels: back.pointer, matrix: $0,
        rowStride: channels * 9)
    } _: {
      WideKernels.winogradWeightGradientTransform(
        gradients: gradients.pointer, inputChannels: channels, paddedInputChannels: channels,
        filters: shape.outputChannels, frequencyStride: shape.weightStride, panels: back.pointer, matrix: $0,
        rowStride: channels * 9)
    }
  }

  /// Images whose last tiles reach beyond them, too.
  @Test(arguments: 0..<30) func imageTransforms(seed: Int) {
    var random = TestRandom(seed)
    let image = Image(&random)
    let plane = image.plane
    let source = Memory(image.count, random: &random)
    let scratch = Memory(
      WinogradPlane.scratchCount(tileColumns: plane.tileColumns, channelBlocks: plane.channelBlocks))
    let zeroRow = Memory(
      WinogradPlane.zeroRowCount(tileColumns: plane.tileColumns, blockStride: plane.blockStride))
    expectSameBits(36 * image.stride) {
      Kernels.winogradInputTransform(
        plane, source: source.pointer, destination: $0, channels: image.channels, frequencyStride: image.stride,
        scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    } _: {
      WideKernels.winogradInputTransform(
        plane, source: source.pointer, destination: $0, channels: image.channels, frequencyStride: image.stride,
        scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    }
    // The gradient of the bias lies behind the transformed gradient.
    expectSameBits(36 * image.stride + image.channels) {
      Kernels.winogradGradientTransform(
        plane, source: source.pointer, destination: $0, channels: image.channels, frequencyStride: image.stride,
        biasGradient: $0 + 36 * image.stride, scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    } _: {
      WideKernels.winogradGradientTransform(
        plane, source: source.pointer, destination: $0, channels: image.channels, frequencyStride: image.stride,
        biasGradient: $0 + 36 * image.stride, scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    }
  }

  @Test(arguments: 0..<30) func outputTransforms(seed: Int) {
    var random = TestRandom(seed)
    let image = Image(&random)
    let plane = image.plane
    let products = Memory(36 * image.stride, random: &random)
    let bias = Memory(image.channels, random: &random)
    let scratch = Memory(
      WinogradPlane.scratchCount(tileColumns: plane.tileColumns, channelBlocks: plane.channelBlocks))
    for epilogue in [WinogradEpilogue.bias(bias.pointer), .biasAndReLU(bias.pointer)] {
      expectSameBits(image.count) {
        Kernels.winogradOutputTransform(
          plane, products: products.pointer, channels: image.channels, frequencyStride: image.stride, destination: $0,
          epilogue: epilogue, scratch: scratch.pointer)
      } _: {
        WideKernels.winogradOutputTransform(
          plane, products: products.pointer, channels: image.channels, frequencyStride: image.stride, destination: $0,
          epilogue: epilogue, scratch: scratch.pointer)
      }
    }
  }

  @Test(arguments: 0..<30) func inputGradientTransforms(seed: Int) {
    var random = TestRandom(seed)
    let image = Image(&random, padding: seed % 3)
    let plane = image.plane
    let products = Memory(36 * image.stride, random: &random)
    let activation = Memory(image.count, random: &random)
    let scratch = Memory(
      WinogradPlane.inputGradientScratchCount(tileColumns: plane.tileColumns, channelBlocks: plane.channelBlocks))
    let mask = WinogradMask(
      activation: activation.pointer, blockStride: plane.blockStride, rowStride: plane.rowStride)
    for mask in [nil, mask] {
      expectSameBits(image.count) {
        Kernels.winogradInputGradientTransform(
          plane, padding: seed % 3, products: products.pointer, channels: image.channels,
          frequencyStride: image.stride, destination: $0, mask: mask, scratch: scratch.pointer)
      } _: {
        WideKernels.winogradInputGradientTransform(
          plane, padding: seed % 3, products: products.pointer, channels: image.channels,
          frequencyStride: image.stride, destination: $0, mask: mask, scratch: scratch.pointer)
      }
    }
  }

  /// Some values are equal or not positive, and so have places that are told apart.
  @Test(arguments: 0..<10) func pooledOutputTransforms(seed: Int) {
    var random = TestRandom(seed)
    let image = Image(&random, wholeTiles: true)
    let plane = image.pooledPlane
    let products = Memory(36 * image.stride, random: &random)
    for i in 0..<36 * image.stride where random.next(0...3) == 0 { products.pointer[i] = 0 }
    let bias = Memory(image.channels, random: &random)
    let scratch = Memory(
      WinogradPlane.scratchCount(tileColumns: plane.tileColumns, channelBlocks: plane.channelBlocks))
    let count = image.count / 4
    // The places lie behind the values.
    expectSameBits(2 * count) { target in
      (target + count).withMemoryRebound(to: Int32.self, capacity: count) { places in
        Kernels.winogradPooledOutputTransform(
          plane, products: products.pointer, channels: image.channels, frequencyStride: image.stride,
          bias: bias.pointer, destination: target, places: places, scratch: scratch.pointer)
      }
    } _: { target in
      (target + count).withMemoryRebound(to: Int32.self, capacity: count) { places in
        WideKernels.winogradPooledOutputTransform(
          plane, products: products.pointer, channels: image.channels, frequencyStride: image.stride,
          bias: bias.pointer, destination: target, places: places, scratch: scratch.pointer)
      }
    }
  }

  @Test(arguments: 0..<10) func pooledGradientTransforms(seed: Int) {
    var random = TestRandom(seed)
    let image = Image(&random, wholeTiles: true)
    let plane = image.pooledPlane
    let source = Memory(image.count / 4, random: &random)
    let places = (0..<image.count / 4).map { _ in Int32(random.next(0...4)) }
    let scratch = Memory(
      WinogradPlane.scratchCount(tileColumns: plane.tileColumns, channelBlocks: plane.channelBlocks))
    // The gradient of the bias lies behind the transformed gradient.
    expectSameBits(36 * image.stride + image.channels) {
      Kernels.winogradPooledGradientTransform(
        plane, source: source.pointer, places: places, destination: $0, channels: image.channels,
        frequencyStride: image.stride, biasGradient: $0 + 36 * image.stride, scratch: scratch.pointer)
    } _: {
      WideKernels.winogradPooledGradientTransform(
        plane, source: source.pointer, places: places, destination: $0, channels: image.channels,
        frequencyStride: image.stride, biasGradient: $0 + 36 * image.stride, scratch: scratch.pointer)
    }
  }

  @Test(arguments: 0..<30) func directConvolutions(seed: Int) {
    var random = TestRandom(seed)
    // A third has the form of the first layer, which has a way of its own.
    let isFirst = seed % 3 == 0
    let planar = isFirst || random.next(0...1) == 0
    let (filter, step) = isFirst ? (3, 1) : (random.next(1...5), random.next(1...2))
    let (rows, columns, channels) = (
      random.next(1...20), random.next(1...30), isFirst ? seed / 3 % 3 + 1 : random.next(1...9)
    )
    let (height, width) = ((rows - 1) * step + filter, (columns - 1) * step + filter)
    let pixelStride = planar ? 1 : 8
    let shape = DirectConvolutionShape(
      inputChannels: channels, filterHeight: filter, filterWidth: filter, stride: step, pixelStride: pixelStride,
      inputPlaneStride: height * width * pixelStride, inputRowStride: width * pixelStride,
      outputBlocks: random.next(1...5), outputRows: rows, outputColumns: columns,
      outputBlockStride: rows * columns * 8, outputRowStride: columns * 8)
    let input = Memory((channels + 7) / 8 * 8 * height * width, random: &random)
    let weights = Memory(shape.outputBlocks * shape.panelStride, random: &random)
    let bias = Memory(shape.outputBlocks * 8, random: &random)
    let outputs = shape.outputBlocks * shape.outputBlockStride
    for rectified in [false, true] {
      expectSameBits(outputs) {
        Kernels.directConvolution(
          shape, input: input.pointer, weights: weights.pointer, bias: bias.pointer, output: $0, rectified: rectified)
      } _: {
        WideKernels.directConvolution(
          shape, input: input.pointer, weights: weights.pointer, bias: bias.pointer, output: $0, rectified: rectified)
      }
    }
    let gradient = Memory(outputs, random: &random)
    // The gradient of the bias lies behind that of the weights.
    expectSameBits(weights.count + bias.count) {
      Kernels.directConvolutionWeightGradient(
        shape, input: input.pointer, outputGradient: gradient.pointer, gradientBlockStride: shape.outputBlockStride,
        gradientRowStride: shape.outputRowStride, weightGradients: $0, biasGradients: $0 + weights.count)
    } _: {
      WideKernels.directConvolutionWeightGradient(
        shape, input: input.pointer, outputGradient: gradient.pointer, gradientBlockStride: shape.outputBlockStride,
        gradientRowStride: shape.outputRowStride, weightGradients: $0, biasGradients: $0 + weights.count)
    }
  }

  @Test(arguments: 0..<30) func affineProducts(seed: Int) {
    var random = TestRandom(seed)
    let (inputs, outputs, samples) = (8 * random.next(1...12), random.next(1...80), random.next(1...12))
    let shape = AffineShape(
      inputs: inputs, outputs: outputs, inputStride: inputs + 8, outputStride: (outputs + 7) / 8 * 8 + 16)
    let left = Memory(samples * shape.inputStride, random: &random)
    let weights = Memory(shape.outputBlocks * inputs * 8, random: &random)
    let bias = Memory(shape.outputBlocks * 8, random: &random)
    for rectified in [false, true] {
      expectSameBits(samples * shape.outputStride) {
        Kernels.affine(
          shape, samples: samples, inputs: left.pointer, weights: weights.pointer, bias: bias.pointer, outputs: $0,
          rectified: rectified)
      } _: {
        WideKernels.affine(
          shape, samples: samples, inputs: left.pointer, weights: weights.pointer, bias: bias.pointer, outputs: $0,
          rectified: rectified)
      }
    }
    let gradients = Memory(samples * shape.outputStride, random: &random)
    let transposed = Memory(shape.inputBlocks * outputs * 8, random: &random)
    expectSameBits(samples * shape.inputStride) {
      Kernels.affineInputGradient(
        shape, samples: samples, outputGradients: gradients.pointer, weights: transposed.pointer, inputGradients: $0)
    } _: {
      WideKernels.affineInputGradient(
        shape, samples: samples, outputGradients: gradients.pointer, weights: transposed.pointer, inputGradients: $0)
    }
  }

  @Test func thePeakIsCountedInItsOwnVectors() {
    #expect(WideKernels.multiplyAddOperations == 2 * Kernels.multiplyAddOperations)
    let narrow = Kernels.multiplyAddChains(iterations: 3, factor: 0.5, addend: 1)
    #expect(WideKernels.multiplyAddChains(iterations: 3, factor: 0.5, addend: 1) == 2 * narrow)
  }
}

/// A random blocked image with an even number of blocks, and the tiles over it.
private struct Image {
  let plane: WinogradPlane
  var channels: Int { plane.channelBlocks * 8 }
  var count: Int { plane.channelBlocks * plane.blockStride }
  /// Between two frequencies.
  var stride: Int { plane.tileRows * plane.tileColumns * channels + 16 }

  /// - Parameter padding: of a convolution over it, whose output the tiles cover.
  init(_ random: inout TestRandom, wholeTiles: Bool = false, padding: Int = 1) {
    let rows = wholeTiles ? 4 * random.next(1...5) : random.next(3...20)
    let columns = wholeTiles ? 4 * random.next(1...5) : random.next(3...20)
    plane = WinogradPlane(
      blockStride: rows * columns * 8, rowStride: columns * 8, rows: rows, columns: columns,
      channelBlocks: 2 * random.next(1...4), tileRows: (rows + 2 * padding + 1) / 4,
      tileColumns: (columns + 2 * padding + 1) / 4)
  }

  /// Of the output after 2x2 pooling.
  var pooledPlane: WinogradPlane {
    WinogradPlane(
      blockStride: plane.blockStride / 4, rowStride: plane.rowStride / 2, rows: plane.rows / 2,
      columns: plane.columns / 2, channelBlocks: plane.channelBlocks, tileRows: plane.tileRows,
      tileColumns: plane.tileColumns)
  }
}
