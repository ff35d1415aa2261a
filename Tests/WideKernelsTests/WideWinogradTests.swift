import Testing

@testable import Kernels
@testable import WideKernels

/// Each of Winograd's kernels in WideKernels writes the bits that the one of Kernels writes, over random shapes.
@Suite(.enabled(if: VectorWidth.used == .bits512, "no vectors of 512 bits here"))
struct WideWinogradTests {
  private static func shape(_ random: inout TestRandom) -> WinogradProductShape {
    WinogradProductShape(
      tiles: random.next(1...60), inputChannels: 16 * random.next(1...5), outputChannels: 16 * random.next(1...5))
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
