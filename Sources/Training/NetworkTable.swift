import NeuralNetwork
import Reporting

/// A network layer by layer: what each leaves, learns, costs and sees.
public struct NetworkTable: Sendable {
  public struct Row: Equatable, Sendable {
    public let layer: String
    public let output: FeatureShape
    public let parameters: Int
    /// Floating-point operations of one image, forward: a multiplication and an addition count as two.
    public let operations: Int
    /// Rows and columns of the image that one output depends on, borders aside; nil where it is all of it.
    public let receptiveField: Int?
  }

  public let input: FeatureShape
  public let rows: [Row]

  public init(_ network: Network) {
    input = network.inputShape
    var rows: [Row] = []
    // The field grows by the filter's size less one, in steps of the strides before it: Araujo, Norris and Sim,
    // "Computing receptive fields of convolutional neural networks" (Distill, 2019).
    var field: Int? = 1
    var step = 1
    func widen(by size: Int, stride: Int) {
      field = field.map { $0 + (size - 1) * step }
      step *= stride
    }
    for layer in network.segment.layers {
      let parameters = layer.parameterShapes.reduce(0) { $0 + $1.count }
      var (name, output) = (layer.name, layer.outputShape)
      var isPooled = false
      switch layer {
      case let layer as Convolution:
        widen(by: max(layer.filterHeight, layer.filterWidth), stride: layer.stride)
        name += ", \(layer.filterHeight)x\(layer.filterWidth)" + (layer.epilogue == .none ? "" : ", ReLU")
        output = layer.convolvedShape
        isPooled = layer.epilogue == .reluAndPooling
      case let layer as MaxPooling: widen(by: layer.size, stride: layer.stride)
      case let layer as Affine:
        field = nil
        name += layer.rectified ? ", ReLU" : ""
      default: break
      }
      rows.append(
        Row(
          layer: name, output: output, parameters: parameters, operations: layer.forwardOperations,
          receptiveField: field))
      if isPooled {
        widen(by: 2, stride: 2)
        rows.append(
          Row(
            layer: "pooling of \(layer.name)", output: layer.outputShape, parameters: 0,
            operations: layer.outputShape.count * 3, receptiveField: field))
      }
    }
    self.rows = rows
  }

  public var parameters: Int { rows.reduce(0) { $0 + $1.parameters } }
  public var operations: Int { rows.reduce(0) { $0 + $1.operations } }
  /// What an output of the last layer before the affine ones sees.
  public var receptiveField: Int { rows.last { $0.receptiveField != nil }?.receptiveField ?? 1 }

  public var lines: [String] {
    var table = TextTable([.left, .left, .right, .right, .right])
    table.add(["layer", "output", "parameters", "operations", "sees"])
    table.add(["image", "\(input)", "", "", "1x1"])
    for row in rows {
      table.add(
        [row.layer, "\(row.output)", "\(row.parameters)", "\(row.operations)"]
          + [row.receptiveField.map { "\($0)x\($0)" } ?? "all"])
    }
    table.add(["network", "", "\(parameters)", "\(operations)", "\(receptiveField)x\(receptiveField)"])
    return table.lines
  }
}
