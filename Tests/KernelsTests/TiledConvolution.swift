@testable import Kernels

/// A 3x3 convolution of one image through all of Winograd's steps, beside plain double precision.
struct TiledConvolution {
  let channels: Int
  let filters: Int
  /// Of the output.
  let height: Int
  let width: Int
  let padding: Int
  let inputBlocks: Int
  let outputBlocks: Int
  private let shape: WinogradProductShape
  private let tileRows: Int
  private let tileColumns: Int
  /// Blocked, with a border of `padding`: two rows and columns more than the output has.
  private let image: Memory
  /// Blocked, without a border.
  private let gradient: Memory
  /// [filter][channel][9].
  private let weights: Memory
  private let scratch: Memory
  private let inputGradientScratch: Memory
  private let zeroRow: Memory

  /// - Parameter padding: 0 to 2.
  init(channels: Int, filters: Int, height: Int, width: Int, padding: Int = 1, random: inout TestRandom) {
    self.channels = channels
    self.filters = filters
    self.height = height
    self.width = width
    self.padding = padding
    inputBlocks = (channels + 7) / 8
    outputBlocks = (filters + 7) / 8
    tileRows = (height + 3) / 4
    tileColumns = (width + 3) / 4
    shape = WinogradProductShape(
      tiles: tileRows * tileColumns, inputChannels: inputBlocks * 8, outputChannels: (filters + 15) / 16 * 16)
    image = Memory(inputBlocks * (height + 2) * (width + 2) * 8)
    gradient = Memory(outputBlocks * height * width * 8)
    weights = Memory(filters * channels * 9, random: &random)
    scratch = Memory(
      WinogradPlane.scratchCount(tileColumns: tileColumns, channelBlocks: max(inputBlocks, outputBlocks)),
      repeating: 77)
    inputGradientScratch = Memory(
      WinogradPlane.inputGradientScratchCount(tileColumns: tileColumns, channelBlocks: inputBlocks), repeating: 77)
    zeroRow = Memory(WinogradPlane.zeroRowCount(tileColumns: tileColumns, blockStride: 0))
    for y in 0..<inputHeight {
      for x in 0..<inputWidth {
        for channel in 0..<channels {
          image.pointer[imagePlace(channel, y + padding, x + padding)] = random.nextFloat()
        }
      }
    }
    for y in 0..<height {
      for x in 0..<width {
        for filter in 0..<filters { gradient.pointer[outputPlace(filter, y, x)] = random.nextFloat() }
      }
    }
  }

  private var inputHeight: Int { height + 2 - 2 * padding }
  private var inputWidth: Int { width + 2 - 2 * padding }
  var inputBlockStride: Int { inputHeight * inputWidth * 8 }
  var inputRowStride: Int { inputWidth * 8 }
  var outputBlockStride: Int { height * width * 8 }
  private func imagePlace(_ channel: Int, _ y: Int, _ x: Int) -> Int {
    ((channel / 8 * (height + 2) + y) * (width + 2) + x) * 8 + channel % 8
  }
  private func outputPlace(_ filter: Int, _ y: Int, _ x: Int) -> Int {
    ((filter / 8 * height + y) * width + x) * 8 + filter % 8
  }
  private func inputPlace(_ channel: Int, _ y: Int, _ x: Int) -> Int {
    channel / 8 * inputBlockStride + y * inputRowStride + x * 8 + channel % 8
  }
  private func plane(blocks: Int, rows: Int, columns: Int) -> WinogradPlane {
    WinogradPlane(
      blockStride: rows * columns * 8, rowStride: columns * 8, rows: rows, columns: columns, channelBlocks: blocks,
      tileRows: tileRows, tileColumns: tileColumns)
  }
  private var outputPlane: WinogradPlane { plane(blocks: outputBlocks, rows: height, columns: width) }

  private func transformedInputs() -> Memory {
    let inputs = Memory(36 * shape.inputStride)
    winogradInputTransform(
      plane(blocks: inputBlocks, rows: height + 2, columns: width + 2), source: image.pointer,
      destination: inputs.pointer,
      channels: shape.inputChannels, frequencyStride: shape.inputStride, scratch: scratch.pointer,
      zeroRow: zeroRow.pointer)
    return inputs
  }

  private func weightPanels() -> Memory {
    let panels = Memory(outputBlocks * channels * 72)
    packRows(
      weights.pointer, rows: filters, columns: channels * 9, panels: panels.pointer, panelStride: channels * 72)
    return panels
  }

  private func products() -> Memory {
    let panels = weightPanels()
    let transformed = Memory(36 * shape.weightStride)
    winogradWeightTransform(
      panels: panels.pointer, inputChannels: channels, paddedInputChannels: shape.inputChannels,
      outputBlocks: outputBlocks, weights: transformed.pointer, frequencyStride: shape.weightStride)
    let products = Memory(36 * shape.outputStride)
    winogradProduct(
      shape, inputs: transformedInputs().pointer, weights: transformed.pointer, products: products.pointer)
    return products
  }

  func outputs(epilogue: WinogradEpilogue) -> [Float] {
    let output = Memory(outputBlocks * outputBlockStride, repeating: 99)
    winogradOutputTransform(
      outputPlane, products: products().pointer, channels: shape.outputChannels,
      frequencyStride: shape.outputStride, destination: output.pointer, epilogue: epilogue, scratch: scratch.pointer)
    return output.array
  }

  /// Height and width have to be multiples of 4.
  func pooled(bias: UnsafePointer<Float>) -> (values: [Float], places: [Int32]) {
    let count = outputBlocks * outputBlockStride / 4
    let output = Memory(count, repeating: 99)
    var places = [Int32](repeating: 99, count: count)
    let pooledPlane = WinogradPlane(
      blockStride: outputBlockStride / 4, rowStride: width * 4, rows: height, columns: width,
      channelBlocks: outputBlocks, tileRows: tileRows, tileColumns: tileColumns)
    places.withUnsafeMutableBufferPointer { places in
      winogradPooledOutputTransform(
        pooledPlane, products: products().pointer, channels: shape.outputChannels,
        frequencyStride: shape.outputStride, bias: bias, destination: output.pointer,
        places: places.baseAddress.unsafelyUnwrapped, scratch: scratch.pointer)
    }
    return (output.array, places)
  }

  /// The four places of the full output that a pooled one looks at, row by row.
  func window(ofPooled place: Int) -> [Int] {
    let lane = place % 8
    let column = place / 8 % (width / 2)
    let row = place / 8 / (width / 2) % (height / 2)
    let block = place / (outputBlockStride / 4)
    return [(0, 0), (0, 1), (1, 0), (1, 1)].map { i, j in
      outputPlace(block * 8 + lane, 2 * row + i, 2 * column + j)
    }
  }

  func forwardError() -> Double {
    let values = outputs(epilogue: .bias(Memory(outputBlocks * 8).pointer))
    return error { visit in
      for filter in 0..<filters {
        for y in 0..<height {
          for x in 0..<width {
            var sum = 0.0
            for channel in 0..<channels {
              for tap in 0..<9 {
                sum +=
                  image[imagePlace(channel, y + tap / 3, x + tap % 3)]
                  * weights[(filter * channels + channel) * 9 + tap]
              }
            }
            visit(Double(values[outputPlace(filter, y, x)]), sum)
          }
        }
      }
    }
  }

  private func transformedGradients() -> (values: Memory, bias: [Float]) {
    let transformed = Memory(36 * shape.outputStride, repeating: .nan)
    let bias = Memory(outputBlocks * 8)
    winogradGradientTransform(
      outputPlane, source: gradient.pointer, destination: transformed.pointer,
      channels: shape.outputChannels, frequencyStride: shape.outputStride, biasGradient: bias.pointer,
      scratch: scratch.pointer, zeroRow: zeroRow.pointer)
    precondition(transformed.isIntact && scratch.isIntact, "written behind memory")
    return (transformed, bias.array)
  }

  private func gradients() -> (weights: [Float], bias: [Float]) {
    let (transformed, bias) = transformedGradients()
    let block = Memory(winogradGradientBlockCount)
    let panels = Memory(winogradGradientPanelCount)
    let result = Memory(filters * channels * 9, repeating: 99)
    winogradWeightGradient(
      shape, inputs: transformedInputs().pointer, gradients: transformed.pointer, channels: channels,
      filters: filters, block: block.pointer, panels: panels.pointer, matrix: result.pointer)
    precondition(panels.isIntact && block.isIntact && result.isIntact, "written behind memory")
    return (result.array, bias)
  }

  func weightGradientError() -> Double {
    let values = gradients().weights
    return error { visit in
      for filter in 0..<filters {
        for channel in 0..<channels {
          for tap in 0..<9 {
            var sum = 0.0
            for y in 0..<height {
              for x in 0..<width {
                sum +=
                  image[imagePlace(channel, y + tap / 3, x + tap % 3)] * gradient[outputPlace(filter, y, x)]
              }
            }
            visit(Double(values[(filter * channels + channel) * 9 + tap]), sum)
          }
        }
      }
    }
  }

  func inputGradient(mask: WinogradMask? = nil) -> [Float] {
    let back = WinogradProductShape(
      tiles: shape.tiles, inputChannels: shape.outputChannels, outputChannels: (channels + 15) / 16 * 16)
    let panels = Memory(inputBlocks * filters * 72)
    transposePanels(
      weightPanels().pointer, inputChannels: channels, outputChannels: filters, taps: 9, transposed: panels.pointer)
    let transformed = Memory(36 * back.weightStride)
    winogradWeightTransform(
      panels: panels.pointer, inputChannels: filters, paddedInputChannels: back.inputChannels,
      outputBlocks: inputBlocks, weights: transformed.pointer, frequencyStride: back.weightStride)
    let products = Memory(36 * back.outputStride)
    winogradProduct(
      back, inputs: transformedGradients().values.pointer, weights: transformed.pointer, products: products.pointer)
    let result = Memory(inputBlocks * inputBlockStride, repeating: 99)
    winogradInputGradientTransform(
      plane(blocks: inputBlocks, rows: inputHeight, columns: inputWidth), padding: padding,
      products: products.pointer, channels: back.outputChannels, frequencyStride: back.outputStride,
      destination: result.pointer, mask: mask, scratch: inputGradientScratch.pointer)
    precondition(result.isIntact && products.isIntact && inputGradientScratch.isIntact, "written behind memory")
    return result.array
  }

  func inputGradientError() -> Double {
    let values = inputGradient()
    return error { visit in
      for channel in 0..<channels {
        for y in 0..<inputHeight {
          for x in 0..<inputWidth {
            var sum = 0.0
            for tap in 0..<9 {
              let (row, column) = (y + padding - tap / 3, x + padding - tap % 3)
              guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
              for filter in 0..<filters {
                sum +=
                  gradient[outputPlace(filter, row, column)] * weights[(filter * channels + channel) * 9 + tap]
              }
            }
            visit(Double(values[inputPlace(channel, y, x)]), sum)
          }
        }
      }
    }
  }

  func biasGradientError() -> Double {
    let values = gradients().bias
    return error { visit in
      for filter in 0..<filters {
        var sum = 0.0
        for y in 0..<height {
          for x in 0..<width { sum += gradient[outputPlace(filter, y, x)] }
        }
        visit(Double(values[filter]), sum)
      }
    }
  }

  /// Largest difference relative to the largest expected value.
  private func error(_ body: (_ visit: (_ value: Double, _ expected: Double) -> Void) -> Void) -> Double {
    var difference = 0.0
    var largest = 0.0
    body { value, expected in
      difference = max(difference, abs(value - expected))
      largest = max(largest, abs(expected))
    }
    return difference / largest
  }
}
