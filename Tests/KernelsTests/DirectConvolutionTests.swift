import Testing

@testable import Kernels

@Suite struct DirectConvolutionTests {
  /// A random convolution, planar or blocked, of one image.
  struct Sample {
    let shape: DirectConvolutionShape
    let filters: Int
    let image: Memory
    let weights: Memory
    let panels: Memory
    let gradient: Memory

    init(seed: Int) {
      var random = TestRandom(seed)
      let planar = random.next(0...1) == 0
      let channels = random.next(1...20)
      filters = random.next(1...28)
      let (height, width) = (random.next(1...5), random.next(1...5))
      let stride = random.next(1...3)
      let (rows, columns) = (random.next(1...9), random.next(1...15))
      let inputRows = (rows - 1) * stride + height
      let inputColumns = (columns - 1) * stride + width
      let pixel = planar ? 1 : 8
      shape = DirectConvolutionShape(
        inputChannels: channels, filterHeight: height, filterWidth: width, stride: stride, pixelStride: pixel,
        inputPlaneStride: inputRows * inputColumns * pixel, inputRowStride: inputColumns * pixel,
        outputBlocks: (filters + 7) / 8, outputRows: rows, outputColumns: columns,
        outputBlockStride: rows * columns * 8, outputRowStride: columns * 8)
      image = Memory((planar ? channels : (channels + 7) / 8) * shape.inputPlaneStride, random: &random)
      weights = Memory(filters * channels * shape.taps, random: &random)
      panels = Memory(shape.outputBlocks * shape.panelStride)
      packRows(
        weights.pointer, rows: filters, columns: channels * shape.taps, panels: panels.pointer,
        panelStride: shape.panelStride)
      gradient = Memory(shape.outputBlocks * shape.outputBlockStride, random: &random)
    }

    func input(_ channel: Int, _ y: Int, _ x: Int) -> Double {
      let plane =
        shape.pixelStride == 1
        ? channel * shape.inputPlaneStride : channel / 8 * shape.inputPlaneStride + channel % 8
      return image[plane + y * shape.inputRowStride + x * shape.pixelStride]
    }

    func outputPlace(_ filter: Int, _ y: Int, _ x: Int) -> Int {
      filter / 8 * shape.outputBlockStride + y * shape.outputRowStride + x * 8 + filter % 8
    }
  }

  @Test(arguments: 0..<40)
  func forwardStaysWithinItsBound(seed: Int) {
    let test = Sample(seed: seed)
    let shape = test.shape
    var random = TestRandom(seed + 1000)
    let bias = Memory(shape.outputBlocks * 8, random: &random)
    let output = Memory(shape.outputBlocks * shape.outputBlockStride, repeating: 99)
    let rectified = seed % 2 == 0
    directConvolution(
      shape, input: test.image.pointer, weights: test.panels.pointer, bias: bias.pointer, output: output.pointer,
      rectified: rectified)
    var worst = 0.0
    for filter in 0..<test.filters {
      for y in 0..<shape.outputRows {
        for x in 0..<shape.outputColumns {
          var sum = bias[filter]
          var magnitude = abs(sum)
          for channel in 0..<shape.inputChannels {
            for tap in 0..<shape.taps {
              let term =
                test.input(
                  channel, y * shape.stride + tap / shape.filterWidth, x * shape.stride + tap % shape.filterWidth)
                * test.weights[(filter * shape.inputChannels + channel) * shape.taps + tap]
              sum += term
              magnitude += abs(term)
            }
          }
          let value = output[test.outputPlace(filter, y, x)]
          let bound = Double(shape.inputChannels * shape.taps + 1) * roundoff * magnitude
          worst = max(worst, abs(value - (rectified ? max(0, sum) : sum)) / bound)
        }
      }
    }
    #expect(worst <= 1)
  }

  @Test(arguments: 0..<40)
  func weightGradientStaysWithinItsBound(seed: Int) {
    let test = Sample(seed: seed)
    let shape = test.shape
    let panels = Memory(shape.outputBlocks * shape.panelStride)
    let bias = Memory(shape.outputBlocks * 8)
    directConvolutionWeightGradient(
      shape, input: test.image.pointer, outputGradient: test.gradient.pointer,
      gradientBlockStride: shape.outputBlockStride, gradientRowStride: shape.outputRowStride,
      weightGradients: panels.pointer, biasGradients: bias.pointer)
    let columns = shape.inputChannels * shape.taps
    let result = Memory(test.filters * columns, repeating: 99)
    unpackRows(
      panels.pointer, panelStride: shape.panelStride, rows: test.filters, columns: columns, matrix: result.pointer)
    let terms = Double(shape.outputRows * shape.outputColumns + 8)
    var worst = 0.0
    for filter in 0..<test.filters {
      var biasSum = 0.0
      var biasMagnitude = 0.0
      for channel in 0..<shape.inputChannels {
        for tap in 0..<shape.taps {
          var sum = 0.0
          var magnitude = 0.0
          biasSum = 0
          biasMagnitude = 0
          for y in 0..<shape.outputRows {
            for x in 0..<shape.outputColumns {
              let gradient = test.gradient[test.outputPlace(filter, y, x)]
              let term =
                test.input(
                  channel, y * shape.stride + tap / shape.filterWidth, x * shape.stride + tap % shape.filterWidth)
                * gradient
              sum += term
              magnitude += abs(term)
              biasSum += gradient
              biasMagnitude += abs(gradient)
            }
          }
          let value = result[filter * columns + channel * shape.taps + tap]
          worst = max(worst, abs(value - sum) / (terms * roundoff * magnitude))
        }
      }
      worst = max(worst, abs(bias[filter] - biasSum) / (terms * roundoff * biasMagnitude))
    }
    #expect(worst <= 1)
  }

  @Test(arguments: 0..<40)
  func inputGradientStaysWithinItsBound(seed: Int) {
    let test = Sample(seed: seed)
    let shape = test.shape
    let transposed = Memory((shape.inputChannels + 7) / 8 * test.filters * shape.taps * 8, repeating: 99)
    transposePanels(
      test.panels.pointer, inputChannels: shape.inputChannels, outputChannels: test.filters, taps: shape.taps,
      transposed: transposed.pointer)
    let rows = (shape.outputRows - 1) * shape.stride + shape.filterHeight
    let columns = (shape.outputColumns - 1) * shape.stride + shape.filterWidth
    var worst = 0.0
    for block in 0..<((shape.inputChannels + 7) / 8) {
      let result = Memory(rows * columns * 8)
      directConvolutionInputGradient(
        shape, outputChannels: test.filters, outputGradient: test.gradient.pointer,
        gradientBlockStride: shape.outputBlockStride, gradientRowStride: shape.outputRowStride,
        weights: transposed.pointer + block * test.filters * shape.taps * 8, inputGradient: result.pointer,
        rowStride: columns * 8)
      var sums = [Double](repeating: 0, count: rows * columns * 8)
      var magnitudes = sums
      for channel in (block * 8)..<min(shape.inputChannels, block * 8 + 8) {
        for filter in 0..<test.filters {
          for y in 0..<shape.outputRows {
            for x in 0..<shape.outputColumns {
              for tap in 0..<shape.taps {
                let row = y * shape.stride + tap / shape.filterWidth
                let column = x * shape.stride + tap % shape.filterWidth
                let term =
                  test.gradient[test.outputPlace(filter, y, x)]
                  * test.weights[(filter * shape.inputChannels + channel) * shape.taps + tap]
                sums[(row * columns + column) * 8 + channel % 8] += term
                magnitudes[(row * columns + column) * 8 + channel % 8] += abs(term)
              }
            }
          }
        }
      }
      for (i, sum) in sums.enumerated() {
        let bound = Double(test.filters * shape.taps) * roundoff * magnitudes[i]
        worst = max(worst, bound == 0 ? abs(result[i]) : abs(result[i] - sum) / bound)
      }
    }
    #expect(worst <= 1)
  }
}
