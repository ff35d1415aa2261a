import Checkpoints
import Failures
import NeuralNetwork
import ProtocolBuffers

/// A network with its weights as an ONNX model, for prediction.
///
/// Input `images`: float32, [batch, channels, height, width], pixels divided by 255. Output `scores`: float32,
/// [batch, classes], before softmax. The batch is of any size. Operators of opset 17: Conv, Relu, MaxPool, Flatten,
/// Gemm, and Mul where dropout scales in prediction.
///
/// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, whose numbers of fields these are.
public struct ONNXModel {
  private static let (irVersion, operatorSet) = (8, 17)
  private static let float32 = 1
  private var graph = ProtocolBuffer()
  /// What the nodes so far leave.
  private var value = "images"
  private var isFlat = false
  private var nodeCount = 0
  private let network: Network
  private var layerNumber = 0

  /// Writes the model, whole or not at all.
  ///
  /// - Parameters:
  ///   - network: with its weights.
  ///   - producer: name and version of this program.
  /// - Throws: `.configuration` where a layer has no operator in ONNX; what `AtomicFile` throws.
  public static func write(
    _ network: Network, to path: String, producer: (name: String, version: String)
  ) throws(Failure) {
    try WeightsFile.write(try bytes(of: network, producer: producer), to: path)
  }

  static func bytes(of network: Network, producer: (name: String, version: String)) throws(Failure) -> [UInt8] {
    var model = ONNXModel(network)
    for layer in network.segment.layers { try model.add(layer) }
    model.finish()
    var message = ProtocolBuffer()
    message.integer(1, irVersion)
    message.text(2, producer.name)
    message.text(3, producer.version)
    message.data(7, model.graph.bytes)
    message.message(8) { $0.integer(2, operatorSet) }
    return message.bytes
  }

  private init(_ network: Network) { self.network = network }

  // MARK: - Nodes

  private mutating func add(_ layer: any Layer) throws(Failure) {
    switch layer {
    case let layer as Convolution:
      node("Conv", parameters: true) {
        $0.attribute("kernel_shape", [layer.filterHeight, layer.filterWidth])
        $0.attribute("pads", [Int](repeating: layer.padding, count: 4))
        $0.attribute("strides", [layer.stride, layer.stride])
      }
      if layer.epilogue != .none { node("Relu") }
      if layer.epilogue == .reluAndPooling { pooling(size: 2, stride: 2) }
    case is ReLU: node("Relu")
    case let layer as MaxPooling: pooling(size: layer.size, stride: layer.stride)
    case let layer as Affine:
      if !isFlat {
        // [channel][row][column], as dtrain's affine layers read their input.
        node("Flatten")
        isFlat = true
      }
      node("Gemm", parameters: true)
      if layer.rectified { node("Relu") }
    case let layer as Dropout where layer.predictionScale == 1: break
    case let layer as Dropout: scale(by: layer.predictionScale)
    default:
      throw Failure(
        .configuration, "the layer \"\(layer.name)\" has no operator in ONNX that dtrain knows",
        remedy: "export a network of convolutions, ReLU, max pooling, affine layers and dropout")
    }
  }

  private mutating func pooling(size: Int, stride: Int) {
    node("MaxPool") {
      $0.attribute("kernel_shape", [size, size])
      $0.attribute("strides", [stride, stride])
    }
  }

  private mutating func scale(by factor: Float) {
    let name = "scale\(nodeCount + 1)"
    initializer(name, shape: [], bytes: littleEndian(factor.bitPattern))
    node("Mul", inputs: [name])
  }

  private mutating func node(
    _ operation: String, parameters: Bool = false, inputs: [String] = [],
    _ attributes: (inout ProtocolBuffer) -> Void = { _ in }
  ) {
    var inputs = [value] + inputs
    if parameters {
      layerNumber += 1
      inputs += ["W\(layerNumber)", "b\(layerNumber)"]
    }
    nodeCount += 1
    value = "\(operation.lowercased())\(nodeCount)"
    let output = value
    graph.message(1) {
      for input in inputs { $0.text(1, input) }
      $0.text(2, output)
      $0.text(3, output)
      $0.text(4, operation)
      attributes(&$0)
    }
  }

  // MARK: - The rest of the graph

  private mutating func finish() {
    // A model's output has a name of its own, whatever the last node is.
    let (last, operation) = (value, isFlat ? "Identity" : "Flatten")
    graph.message(1) {
      $0.text(1, last)
      $0.text(2, "scores")
      $0.text(3, "scores")
      $0.text(4, operation)
    }
    graph.text(2, "network")
    for tensor in network.parameters.tensors {
      initializer(
        tensor.name, shape: tensor.shape,
        bytes: UnsafeRawBufferPointer(network.parameters.values(of: tensor)).map { $0 })
    }
    let shape = network.inputShape
    valueInfo(11, "images", sizes: [shape.channels, shape.height, shape.width])
    valueInfo(12, "scores", sizes: [network.classes])
  }

  private mutating func initializer(_ name: String, shape: [Int], bytes: [UInt8]) {
    graph.message(5) {
      $0.integers(1, shape)
      $0.integer(2, Self.float32)
      $0.text(8, name)
      $0.data(9, bytes)
    }
  }

  /// - Parameter sizes: behind that of the batch.
  private mutating func valueInfo(_ field: Int, _ name: String, sizes: [Int]) {
    graph.message(field) {
      $0.text(1, name)
      $0.message(2) {
        $0.message(1) {
          $0.integer(1, Self.float32)
          $0.message(2) {
            $0.message(1) { $0.text(2, "batch") }
            for size in sizes { $0.message(1) { $0.integer(1, size) } }
          }
        }
      }
    }
  }
}

extension ProtocolBuffer {
  /// An attribute of a node whose value is a list of integers.
  fileprivate mutating func attribute(_ name: String, _ values: [Int]) {
    message(5) {
      $0.text(1, name)
      // "ints" is not packed in ONNX's schema.
      for value in values { $0.integer(8, value) }
      $0.integer(20, 7)
    }
  }
}
