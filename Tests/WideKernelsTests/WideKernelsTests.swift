import Testing

@testable import Kernels
@testable import WideKernels

/// Each other kernel of WideKernels writes the bits that the one of Kernels writes, over random shapes.
@Suite(.enabled(if: VectorWidth.used == .bits512, "no vectors of 512 bits here"))
struct WideKernelsTests {
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
