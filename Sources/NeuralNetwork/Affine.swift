import Kernels
import WideKernels

/// y = x · W + b over vectors; an input with rows and columns is read as one vector in the book's order
/// [channel][row][column]. ReLU may be fused in.
public final class Affine: Layer {
  public let name: String
  public let inputShape: FeatureShape
  public let outputShape: FeatureShape
  public let rectified: Bool
  public var inputLayout: ActivationLayout { ActivationLayout(shape: inputShape, border: 0) }
  public var outputIsRectified: Bool { rectified }
  public var forwardOperations: Int { 2 * inputShape.count * outputShape.channels }
  public var parameterShapes: [ParameterShape] {
    [
      ParameterShape(shape: [inputShape.count, outputShape.channels], fanIn: inputShape.count),
      ParameterShape(shape: [outputShape.channels], fanIn: 0),
    ]
  }

  private let arena: Arena
  let shape: AffineShape
  /// For each input in the order of memory its row in the book's matrix; −1 for a lane of no channel.
  let rows: UnsafeMutablePointer<Int32>
  /// [outputs / 8][inputs][8].
  let weights: UnsafeMutablePointer<Float>
  /// [inputs / 8][outputs][8], for the gradient of the input.
  let transposedWeights: UnsafeMutablePointer<Float>
  let bias: UnsafeMutablePointer<Float>

  /// - Parameter arena: where the weights in the kernels' form lie.
  public init(name: String, inputShape: FeatureShape, outputs: Int, rectified: Bool = false, arena: Arena = Arena()) {
    self.name = name
    self.inputShape = inputShape
    self.rectified = rectified
    self.arena = arena
    outputShape = FeatureShape(features: outputs)
    let layout = ActivationLayout(shape: inputShape, border: 0)
    let inputs = layout.blocks * layout.blockStride
    shape = AffineShape(
      inputs: inputs, outputs: outputs, inputStride: layout.sampleStride,
      outputStride: ActivationLayout(shape: outputShape, border: 0).sampleStride)
    rows = .allocate(capacity: inputs)
    rows.initialize(repeating: -1, count: inputs)
    weights = arena.allocate(shape.outputBlocks * inputs * 8)
    transposedWeights = arena.allocate(shape.inputBlocks * outputs * 8)
    bias = arena.allocate(shape.outputBlocks * 8 + 8)
    var row: Int32 = 0
    for channel in 0..<inputShape.channels {
      for y in 0..<inputShape.height {
        for x in 0..<inputShape.width {
          rows[layout.offset(channel: channel, row: y, column: x)] = row
          row += 1
        }
      }
    }
  }

  deinit { rows.deallocate() }

  public func prepare(_ parameters: UnsafePointer<Float>) {
    packAffineWeights(shape, matrix: parameters, rows: rows, weights: weights, transposed: transposedWeights)
    bias.update(from: parameters + inputShape.count * shape.outputs, count: shape.outputs)
  }

  public func makePass(_ connection: LayerConnection) -> LayerPass { AffinePass(self, connection) }
}

private final class AffinePass: LayerPass {
  private let layer: Affine
  private let connection: LayerConnection
  /// Takes the gradient of lanes that belong to no channel.
  private let nowhere: UnsafeMutablePointer<Float>

  init(_ layer: Affine, _ connection: LayerConnection) {
    self.layer = layer
    self.connection = connection
    nowhere = connection.arena.allocate(layer.shape.outputBlocks * 8)
  }

  func forward(_ group: SampleGroup) {
    if VectorWidth.used == .bits512 {
      WideKernels.affine(
        layer.shape, samples: group.count, inputs: connection.input.base, weights: layer.weights, bias: layer.bias,
        outputs: connection.output.base, rectified: layer.rectified)
    } else {
      Kernels.affine(
        layer.shape, samples: group.count, inputs: connection.input.base, weights: layer.weights, bias: layer.bias,
        outputs: connection.output.base, rectified: layer.rectified)
    }
  }

  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>) {
    affineWeightGradient(
      layer.shape, samples: group.count, inputs: connection.input.base,
      outputGradients: connection.outputGradient.base, rows: layer.rows, weightGradients: gradient,
      biasGradients: gradient + layer.inputShape.count * layer.shape.outputs, nowhere: nowhere,
      adding: !group.isFirst)
    guard let inputGradient = connection.inputGradient else { return }
    if VectorWidth.used == .bits512 {
      WideKernels.affineInputGradient(
        layer.shape, samples: group.count, outputGradients: connection.outputGradient.base,
        weights: layer.transposedWeights, inputGradients: inputGradient.base)
    } else {
      Kernels.affineInputGradient(
        layer.shape, samples: group.count, outputGradients: connection.outputGradient.base,
        weights: layer.transposedWeights, inputGradients: inputGradient.base)
    }
    guard connection.inputIsRectified else { return }
    for sample in 0..<group.count {
      maskGradient(
        inputGradient.start(of: sample), inputGradient.layout.plane, by: connection.input.start(of: sample),
        connection.input.layout.plane, to: inputGradient.start(of: sample), inputGradient.layout.plane)
    }
  }
}
