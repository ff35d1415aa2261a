import Arithmetic
import Failures

/// Consecutive layers through which a microbatch runs depth-first, forward and backward, while it is in cache.
///
/// Segments meet where a layer needs statistics of the whole batch; a network without such a layer is one segment.
public struct Segment {
  public let layers: [any Layer]
  /// For each layer where its parameters begin in the flat buffer.
  let parameterOffsets: [Int]
}

/// A model planned for a shape of input: its layers, its parameters in one flat buffer, and workspaces to run it in.
public final class Network {
  public let inputShape: FeatureShape
  /// The number of classes.
  public let classes: Int
  public let segment: Segment
  public let parameters: ParameterStore
  /// What `precision` leaves of them, where that is not float32.
  private lazy var rounded = ParameterStore(tensors: parameters.tensors)
  /// Share of each label that training spreads evenly over all classes; to be set before workspaces are made.
  public var labelSmoothing = 0.0

  /// In how many bits the passes see each parameter; `parameters` itself, which an optimizer changes in steps smaller
  /// than 16 bits show, stays float32. Part of the arithmetic; to be set before the first pass.
  public var precision = ParameterPrecision.float32

  /// The most samples that go through the layers together: their activations stay in the second- and third-level
  /// cache. Part of the arithmetic, since it orders the sums of the weights' gradients.
  public static let groupSize = 5

  /// - Parameters:
  ///   - layers: the last one leaves a vector, one score a class; softmax and cross-entropy follow it.
  ///   - kernels: how the convolutions choose their kernels. Part of the arithmetic.
  ///   - fused: see `LayerPlanner`; true outside tests.
  /// - Throws: `.configuration` where a layer does not fit the shape before it.
  public init(
    inputShape: FeatureShape, layers: [LayerDescription], kernels: Convolution.Kernels = .byShape, fused: Bool = true
  ) throws(Failure) {
    self.inputShape = inputShape
    let planned = try LayerPlanner.plan(layers, inputShape: inputShape, kernels: kernels, fused: fused)
    guard let last = planned.last, last.outputShape.height == 1, last.outputShape.width == 1 else {
      throw Failure(
        .configuration, "the network does not end in a vector of scores", remedy: "end it with an affine layer")
    }
    classes = last.outputShape.channels
    var tensors: [ParameterTensor] = []
    var offsets: [Int] = []
    var offset = 0
    var number = 0
    for layer in planned {
      offsets.append(offset)
      if !layer.parameterShapes.isEmpty { number += 1 }
      for (index, parameter) in layer.parameterShapes.enumerated() {
        let letter = index == 0 ? "W" : index == 1 ? "b" : "p\(index)_"
        tensors.append(
          ParameterTensor(
            name: "\(letter)\(number)", shape: parameter.shape, offset: offset, fanIn: parameter.fanIn))
        offset += parameter.count
      }
    }
    segment = Segment(layers: planned, parameterOffsets: offsets)
    parameters = ParameterStore(tensors: tensors)
  }

  /// Brings the parameters into the kernels' form; to be called after each change of them, before the next pass.
  public func prepareParameters() {
    let seen = precision == .float32 ? parameters : rounded
    switch precision {
    case .float32: break
    case .float16: HalfPrecision.roundToFloat16(count: parameters.count, parameters.values, into: rounded.values)
    case .bfloat16: HalfPrecision.roundToBfloat16(count: parameters.count, parameters.values, into: rounded.values)
    }
    for (layer, offset) in zip(segment.layers, segment.parameterOffsets) { layer.prepare(seen.values + offset) }
  }

  /// Buffers and code for one thread.
  public func makeWorkspace() -> Workspace { Workspace(self) }
}
