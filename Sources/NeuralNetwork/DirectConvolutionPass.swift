import Kernels
import WideKernels

/// A convolution by direct kernels: any filter size, stride and padding, planar or blocked input.
final class DirectConvolutionPass: LayerPass {
  private let layer: Convolution
  private let connection: LayerConnection
  private let shape: DirectConvolutionShape
  private let weightGradients: UnsafeMutablePointer<Float>
  private let weightGradientCount: Int
  private let biasGradients: UnsafeMutablePointer<Float>
  /// The gradient of one block of input channels with its padding.
  private let paddedGradient: UnsafeMutablePointer<Float>

  init(_ layer: Convolution, _ connection: LayerConnection) {
    self.layer = layer
    self.connection = connection
    let input = connection.input.layout
    let output = connection.output.layout
    shape = DirectConvolutionShape(
      inputChannels: layer.inputShape.channels, filterHeight: layer.filterHeight, filterWidth: layer.filterWidth,
      stride: layer.stride, pixelStride: input.pixelStride, inputPlaneStride: input.blockStride,
      inputRowStride: input.rowStride, outputBlocks: output.blocks, outputRows: layer.convolvedShape.height,
      outputColumns: layer.convolvedShape.width, outputBlockStride: output.blockStride,
      outputRowStride: output.rowStride)
    weightGradientCount = output.blocks * shape.panelStride
    weightGradients = connection.arena.allocate(weightGradientCount)
    biasGradients = connection.arena.allocate(output.blocks * 8)
    paddedGradient = connection.arena.allocate(connection.inputGradient == nil ? 0 : Self.paddedCount(layer))
  }

  private static func paddedCount(_ layer: Convolution) -> Int {
    (layer.inputShape.height + 2 * layer.padding) * (layer.inputShape.width + 2 * layer.padding) * 8
  }

  func begin() {
    weightGradients.update(repeating: 0, count: weightGradientCount)
    biasGradients.update(repeating: 0, count: shape.outputBlocks * 8)
  }

  func forward(_ group: SampleGroup) {
    for sample in 0..<group.count {
      let input = connection.input.start(of: sample, outside: layer.padding)
      let (output, rectified) = (connection.output.start(of: sample), layer.epilogue == .relu)
      if VectorWidth.used == .bits512 {
        WideKernels.directConvolution(
          shape, input: input, weights: layer.panels, bias: layer.bias, output: output, rectified: rectified)
      } else {
        Kernels.directConvolution(
          shape, input: input, weights: layer.panels, bias: layer.bias, output: output, rectified: rectified)
      }
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    let layout = connection.outputGradient.layout
    for sample in 0..<group.count {
      let input = connection.input.start(of: sample, outside: layer.padding)
      let outputGradient = connection.outputGradient.start(of: sample)
      if VectorWidth.used == .bits512 {
        WideKernels.directConvolutionWeightGradient(
          shape, input: input, outputGradient: outputGradient, gradientBlockStride: layout.blockStride,
          gradientRowStride: layout.rowStride, weightGradients: weightGradients, biasGradients: biasGradients)
      } else {
        Kernels.directConvolutionWeightGradient(
          shape, input: input, outputGradient: outputGradient, gradientBlockStride: layout.blockStride,
          gradientRowStride: layout.rowStride, weightGradients: weightGradients, biasGradients: biasGradients)
      }
      if let inputGradient = connection.inputGradient { propagate(sample, to: inputGradient) }
    }
  }

  func finish(gradient: UnsafeMutablePointer<Float>) {
    let columns = layer.inputShape.channels * layer.taps
    unpackRows(
      weightGradients, panelStride: shape.panelStride, rows: layer.filters, columns: columns, matrix: gradient)
    (gradient + layer.filters * columns).update(from: biasGradients, count: layer.filters)
  }

  private func propagate(_ sample: Int, to inputGradient: Activation) {
    let layout = connection.outputGradient.layout
    let rowStride = (layer.inputShape.width + 2 * layer.padding) * 8
    let block = BlockedPlane(
      blocks: 1, rows: layer.inputShape.height, columns: layer.inputShape.width, blockStride: 0,
      rowStride: rowStride)
    for index in 0..<inputGradient.layout.blocks {
      paddedGradient.update(repeating: 0, count: Self.paddedCount(layer))
      directConvolutionInputGradient(
        shape, outputChannels: layer.filters, outputGradient: connection.outputGradient.start(of: sample),
        gradientBlockStride: layout.blockStride, gradientRowStride: layout.rowStride,
        weights: layer.transposedPanels + index * layer.filters * layer.taps * 8, inputGradient: paddedGradient,
        rowStride: rowStride)
      let activation = connection.input
      maskGradient(
        paddedGradient + layer.padding * (rowStride + 8), block,
        by: connection.inputIsRectified
          ? UnsafePointer(activation.start(of: sample) + index * activation.layout.blockStride) : nil,
        activation.layout.plane, to: inputGradient.start(of: sample) + index * inputGradient.layout.blockStride,
        inputGradient.layout.plane)
    }
  }
}
