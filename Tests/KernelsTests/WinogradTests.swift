import Testing

@testable import Kernels

@Suite struct WinogradTests {
  @Test(arguments: 0..<30)
  func productsStayWithinTheirBound(seed: Int) {
    var random = TestRandom(seed)
    let shape = WinogradProductShape(
      tiles: random.next(1...50), inputChannels: 8 * random.next(1...9), outputChannels: 16 * random.next(1...5))
    let inputs = Memory(36 * shape.inputStride, random: &random)
    let weights = Memory(36 * shape.weightStride, random: &random)
    let products = Memory(36 * shape.outputStride, repeating: 99)
    winogradProduct(shape, inputs: inputs.pointer, weights: weights.pointer, products: products.pointer)
    var worst = 0.0
    for frequency in 0..<36 {
      for tile in 0..<shape.tiles {
        for output in 0..<shape.outputChannels {
          var sum = 0.0
          var magnitude = 0.0
          for channel in 0..<shape.inputChannels {
            let term =
              inputs[frequency * shape.inputStride + tile * shape.inputChannels + channel]
              * weights[
                frequency * shape.weightStride + (output / 16 * shape.inputChannels + channel) * 16 + output % 16]
            sum += term
            magnitude += abs(term)
          }
          let value = products[frequency * shape.outputStride + tile * shape.outputChannels + output]
          worst = max(worst, abs(value - sum) / (Double(shape.inputChannels) * roundoff * magnitude))
        }
      }
    }
    #expect(worst <= 1)
  }

  @Test(arguments: 0..<30)
  func weightGradientProductsStayWithinTheirBoundAndAdd(seed: Int) {
    var random = TestRandom(seed)
    let shape = WinogradProductShape(
      tiles: random.next(1...30), inputChannels: 8 * random.next(1...9), outputChannels: 16 * random.next(1...5))
    let inputs = Memory(36 * shape.inputStride, random: &random)
    let gradients = Memory(36 * shape.outputStride, random: &random)
    let once = Memory(36 * shape.weightStride, repeating: 99)
    winogradWeightGradientProduct(
      shape, inputs: inputs.pointer, gradients: gradients.pointer, weightGradients: once.pointer, adding: false)
    var worst = 0.0
    for frequency in 0..<36 {
      for channel in 0..<shape.inputChannels {
        for output in 0..<shape.outputChannels {
          var sum = 0.0
          var magnitude = 0.0
          for tile in 0..<shape.tiles {
            let term =
              inputs[frequency * shape.inputStride + tile * shape.inputChannels + channel]
              * gradients[frequency * shape.outputStride + tile * shape.outputChannels + output]
            sum += term
            magnitude += abs(term)
          }
          let place =
            frequency * shape.weightStride + (output / 16 * shape.inputChannels + channel) * 16 + output % 16
          worst = max(worst, abs(once[place] - sum) / (Double(shape.tiles) * roundoff * magnitude))
        }
      }
    }
    #expect(worst <= 1)
    // Adding the same again continues the same chain of sums as twice the tiles do.
    let twice = Memory(36 * shape.weightStride)
    for _ in 0..<2 {
      winogradWeightGradientProduct(
        shape, inputs: inputs.pointer, gradients: gradients.pointer, weightGradients: twice.pointer, adding: true)
    }
    for frequency in 0..<36 {
      let place = frequency * shape.weightStride
      #expect(abs(twice[place] - 2 * once[place]) <= 4 * Double(shape.tiles) * roundoff * Double(shape.tiles))
    }
  }

  @Test(arguments: 0..<12)
  func theBlockedWeightGradientHasTheBitsOfItsTwoParts(seed: Int) {
    var random = TestRandom(seed)
    let channels = random.next(1...70)
    let filters = random.next(1...70)
    let shape = WinogradProductShape(
      tiles: random.next(1...30), inputChannels: (channels + 7) / 8 * 8, outputChannels: (filters + 15) / 16 * 16)
    let inputs = Memory(36 * shape.inputStride, random: &random)
    let gradients = Memory(36 * shape.outputStride, random: &random)
    let sums = Memory(36 * shape.weightStride)
    let panels = Memory(winogradGradientPanelCount)
    let expected = Memory(filters * channels * 9)
    winogradWeightGradientProduct(
      shape, inputs: inputs.pointer, gradients: gradients.pointer, weightGradients: sums.pointer, adding: false)
    winogradWeightGradientTransform(
      gradients: sums.pointer, inputChannels: channels, paddedInputChannels: shape.inputChannels,
      filters: filters, frequencyStride: shape.weightStride, panels: panels.pointer, matrix: expected.pointer,
      rowStride: channels * 9)
    let block = Memory(winogradGradientBlockCount)
    let result = Memory(filters * channels * 9, repeating: 99)
    winogradWeightGradient(
      shape, inputs: inputs.pointer, gradients: gradients.pointer, channels: channels, filters: filters,
      block: block.pointer, panels: panels.pointer, matrix: result.pointer)
    #expect(result.array == expected.array)
  }

  /// The bound of the whole convolution, transforms included, relative to the largest value: the docstrings' figures.
  @Test(arguments: 0..<20)
  func convolutionsByTilesStayWithinTheirBound(seed: Int) {
    var random = TestRandom(seed)
    expectBounds(
      TiledConvolution(
        channels: random.next(1...40), filters: random.next(1...40), height: random.next(3...20),
        width: random.next(3...20), padding: seed % 3, random: &random))
  }

  /// Inputs of one pixel, one tile, and as many channels as the bound is stated for.
  @Test(arguments: [
    (1, 1, 1, 1, 1), (9, 17, 3, 3, 2), (16, 8, 2, 2, 1), (8, 16, 1, 1, 0), (3, 5, 4, 4, 2), (64, 64, 8, 8, 1),
    (64, 64, 6, 6, 2),
  ])
  func extremeConvolutionsByTilesStayWithinTheirBound(
    channels: Int, filters: Int, height: Int, width: Int, padding: Int
  ) {
    var random = TestRandom(channels)
    expectBounds(
      TiledConvolution(
        channels: channels, filters: filters, height: height, width: width, padding: padding, random: &random))
  }

  private func expectBounds(_ test: TiledConvolution) {
    #expect(test.forwardError() <= winogradForwardErrorBound)
    #expect(test.weightGradientError() <= winogradWeightGradientErrorBound)
    #expect(test.biasGradientError() <= winogradForwardErrorBound)
    #expect(test.inputGradientError() <= winogradInputGradientErrorBound)
  }

  @Test(arguments: 0..<10)
  func epiloguesAreWhatTheySay(seed: Int) {
    var random = TestRandom(seed)
    let test = TiledConvolution(
      channels: random.next(1...20), filters: random.next(1...20), height: 4 * random.next(1...4),
      width: 4 * random.next(1...4), random: &random)
    let plain = test.outputs(epilogue: .bias(Memory(test.outputBlocks * 8).pointer))
    let bias = Memory(test.outputBlocks * 8, random: &random)
    let shifted = test.outputs(epilogue: .bias(bias.pointer))
    let rectified = test.outputs(epilogue: .biasAndReLU(bias.pointer))
    let (pooled, places) = test.pooled(bias: bias.pointer)
    for i in 0..<plain.count {
      let lane = i / test.outputBlockStride * 8 + i % 8
      #expect(shifted[i] == plain[i] + bias.pointer[lane])
      #expect(rectified[i] == max(0, shifted[i]))
    }
    for (i, value) in pooled.enumerated() {
      let window = test.window(ofPooled: i).map { rectified[$0] }
      #expect(value == window.max())
      #expect(value > 0 ? window[Int(places[i])] == value : places[i] >= 4)
    }
  }

  @Test(arguments: 0..<10)
  func thePooledGradientIsThatOfTheImageItCameFrom(seed: Int) {
    var random = TestRandom(seed)
    let (tileRows, tileColumns, blocks) = (random.next(1...4), random.next(1...4), random.next(1...5))
    let (rows, columns) = (4 * tileRows, 4 * tileColumns)
    let channels = (blocks + 1) / 2 * 16
    let stride = tileRows * tileColumns * channels + 16
    let count = blocks * rows * columns * 2
    let pooled = Memory(count, random: &random)
    let image = Memory(4 * count)
    let places = (0..<count).map { _ in Int32(random.next(0...4)) }
    func plane(_ scale: Int) -> WinogradPlane {
      WinogradPlane(
        blockStride: rows / scale * columns / scale * 8, rowStride: columns / scale * 8, rows: rows, columns: columns,
        channelBlocks: blocks, tileRows: tileRows, tileColumns: tileColumns)
    }
    func blocked(_ scale: Int) -> BlockedPlane {
      BlockedPlane(
        blocks: blocks, rows: rows / scale, columns: columns / scale, blockStride: plane(scale).blockStride,
        rowStride: plane(scale).rowStride)
    }
    maxPoolGradient(
      pooled.pointer, blocked(2), places: places, size: 2, stride: 2, to: image.pointer, blocked(1))
    let scratch = Memory(WinogradPlane.scratchCount(tileColumns: tileColumns, channelBlocks: blocks), repeating: 77)
    let zeroRow = Memory(WinogradPlane.zeroRowCount(tileColumns: tileColumns, blockStride: 0))
    let bias = Memory(blocks * 8, random: &random)
    let pooledBias = Memory(blocks * 8)
    pooledBias.pointer.update(from: bias.pointer, count: blocks * 8)
    let (expected, values) = (Memory(36 * stride, repeating: 99), Memory(36 * stride, repeating: 99))
    winogradGradientTransform(
      plane(1), source: image.pointer, destination: expected.pointer, channels: channels, frequencyStride: stride,
      biasGradient: bias.pointer, scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    winogradPooledGradientTransform(
      plane(2), source: pooled.pointer, places: places, destination: values.pointer, channels: channels,
      frequencyStride: stride, biasGradient: pooledBias.pointer, scratch: scratch.pointer)
    #expect(values.array == expected.array)
    #expect(pooledBias.array == bias.array)
  }

  @Test(arguments: 0..<6)
  func theGradientOfTheInputIsKeptWhereTheMaskIsPositive(seed: Int) {
    var random = TestRandom(seed)
    let test = TiledConvolution(
      channels: random.next(1...20), filters: random.next(1...20), height: random.next(3...20),
      width: random.next(3...20), padding: seed % 3, random: &random)
    let plain = test.inputGradient()
    let mask = Memory(plain.count, random: &random)
    let masked = test.inputGradient(
      mask: WinogradMask(
        activation: mask.pointer, blockStride: test.inputBlockStride, rowStride: test.inputRowStride))
    #expect(masked == zip(plain, mask.array).map { $1 > 0 ? $0 : 0 })
  }
}
