import Testing

@testable import Kernels

@Suite struct ElementwiseTests {
  @Test(arguments: 0..<20)
  func panelsHoldTheMatrixAndGiveItBack(seed: Int) {
    var random = TestRandom(seed)
    let (filters, channels, taps) = (random.next(1...40), random.next(1...40), random.next(1...25))
    let matrix = Memory(filters * channels * taps, random: &random)
    let stride = channels * taps * 8
    let panels = Memory((filters + 7) / 8 * stride, repeating: 99)
    packRows(matrix.pointer, rows: filters, columns: channels * taps, panels: panels.pointer, panelStride: stride)
    for row in 0..<((filters + 7) / 8 * 8) {
      for column in 0..<(channels * taps) {
        let expected = row < filters ? matrix[row * channels * taps + column] : 0
        #expect(panels[row / 8 * stride + column * 8 + row % 8] == expected)
      }
    }
    let back = Memory(matrix.count, repeating: 99)
    unpackRows(panels.pointer, panelStride: stride, rows: filters, columns: channels * taps, matrix: back.pointer)
    #expect(back.array == matrix.array)
    let transposed = Memory((channels + 7) / 8 * filters * taps * 8, repeating: 99)
    transposePanels(
      panels.pointer, inputChannels: channels, outputChannels: filters, taps: taps, transposed: transposed.pointer)
    for channel in 0..<((channels + 7) / 8 * 8) {
      for filter in 0..<filters {
        for tap in 0..<taps {
          let expected = channel < channels ? matrix[(filter * channels + channel) * taps + tap] : 0
          #expect(transposed[((channel / 8 * filters + filter) * taps + tap) * 8 + channel % 8] == expected)
        }
      }
    }
  }

  @Test(arguments: 0..<20)
  func poolingTakesTheFirstLargestAndSendsItsGradientBack(seed: Int) {
    var random = TestRandom(seed)
    let (size, stride) = [(2, 2), (3, 2), (2, 1), (3, 3)][seed % 4]
    let (blocks, rows, columns) = (random.next(1...3), random.next(1...6), random.next(1...6))
    let (inputRows, inputColumns) = ((rows - 1) * stride + size, (columns - 1) * stride + size)
    let inputPlane = BlockedPlane(
      blocks: blocks, rows: inputRows, columns: inputColumns, blockStride: inputRows * inputColumns * 8,
      rowStride: inputColumns * 8)
    let plane = BlockedPlane(
      blocks: blocks, rows: rows, columns: columns, blockStride: rows * columns * 8, rowStride: columns * 8)
    let input = Memory(blocks * inputPlane.blockStride)
    // Few different values, so that windows hold equal ones.
    for i in 0..<input.count { input.pointer[i] = Float(random.next(-2...2)) }
    let output = Memory(blocks * plane.blockStride, repeating: 99)
    let gradient = Memory(output.count, random: &random)
    let back = Memory(input.count)
    var places = [Int32](repeating: 99, count: output.count)
    places.withUnsafeMutableBufferPointer { places in
      let places = places.baseAddress.unsafelyUnwrapped
      maxPool(
        input.pointer, inputPlane, size: size, stride: stride, to: output.pointer, plane, places: places)
      maxPoolGradient(
        gradient.pointer, plane, places: places, size: size, stride: stride, to: back.pointer, inputPlane)
    }
    var expected = [Float](repeating: 0, count: input.count)
    for i in 0..<output.count {
      let (block, row, column, lane) = (
        i / plane.blockStride, i / plane.rowStride % rows, i / 8 % columns, i % 8
      )
      var best = 0
      for place in 0..<(size * size) {
        func at(_ place: Int) -> Int {
          block * inputPlane.blockStride + (row * stride + place / size) * inputPlane.rowStride
            + (column * stride + place % size) * 8 + lane
        }
        if input[at(place)] > input[at(best)] { best = place }
        if place == size * size - 1 {
          #expect(output[i] == input[at(best)])
          #expect(places[i] == Int32(best))
          expected[at(best)] += gradient.pointer[i]
        }
      }
    }
    for i in 0..<input.count { #expect(abs(back[i] - Double(expected[i])) <= 1e-6) }
  }

  @Test func rectifyingAndMaskingAreExact() {
    var random = TestRandom(1)
    let plane = BlockedPlane(blocks: 2, rows: 3, columns: 5, blockStride: 3 * 5 * 8, rowStride: 40)
    let bordered = BlockedPlane(blocks: 2, rows: 3, columns: 5, blockStride: 5 * 7 * 8, rowStride: 56)
    let input = Memory(240, random: &random)
    input.pointer[0] = 0
    input.pointer[1] = -0.0
    let output = Memory(2 * 5 * 7 * 8)
    let gradient = Memory(240, random: &random)
    let masked = Memory(240, repeating: 99)
    rectify(input.pointer, plane, to: output.pointer + 64, bordered)
    maskGradient(gradient.pointer, plane, by: output.pointer + 64, bordered, to: masked.pointer, plane)
    for i in 0..<240 {
      let (block, row, rest) = (i / 120, i / 40 % 3, i % 40)
      #expect(output[64 + block * 280 + row * 56 + rest] == max(0, input[i]))
      #expect(masked[i] == (input[i] > 0 ? gradient[i] : 0))
    }
    #expect(output.array[..<64].allSatisfy { $0 == 0 })
  }

  @Test func pixelsAreDividedBy255() {
    let bytes = (0..<(17 * 15)).map { UInt8($0) }
    let output = Memory(15 * 20, repeating: 99)
    normalizePixels(bytes, rows: 15, columns: 17, to: output.pointer, rowStride: 20)
    for i in bytes.indices { #expect(output.pointer[i / 17 * 20 + i % 17] == Float(bytes[i]) / 255) }
    #expect(output.pointer[17] == 99)
  }

  @Test(arguments: [0, 1])
  func adamIsItsDefinition(form: Int) {
    var random = TestRandom(form)
    let count = 64
    let (w, g) = (Memory(count, random: &random), Memory(count, random: &random))
    let (m, v) = (Memory(count, random: &random), Memory(count, random: &random))
    for i in 0..<count { v.pointer[i] = abs(v.pointer[i]) }
    let (w0, m0, v0) = (w.array.map { Double($0) }, m.array.map { Double($0) }, v.array.map { Double($0) })
    let factors = AdamFactors(
      firstDecay: 0.1, secondDecay: 0.001, learningRate: 0.003, secondCorrection: form == 0 ? 1 : 1.7,
      epsilon: 1e-7, weightDecay: form == 0 ? 0 : 0.01)
    adamUpdate(
      factors, count: count, parameters: w.pointer, gradients: g.pointer, firstMoments: m.pointer,
      secondMoments: v.pointer)
    for i in 0..<count {
      let first = m0[i] + Double(factors.firstDecay) * (g[i] - m0[i])
      let second = v0[i] + Double(factors.secondDecay) * (g[i] * g[i] - v0[i])
      #expect(abs(m[i] - first) <= 2e-7)
      #expect(abs(v[i] - second) <= 2e-7)
      let denominator = second.squareRoot() * Double(factors.secondCorrection) + Double(factors.epsilon)
      let weight =
        w0[i] * (1 - Double(factors.weightDecay)) - Double(factors.learningRate) * first / denominator
      #expect(abs(w[i] - weight) <= 1e-6 * max(1, abs(weight)))
    }
  }
}
