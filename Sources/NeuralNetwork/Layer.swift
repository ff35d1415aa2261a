import Kernels

/// One layer of a network, for one shape of input: its parameters and their form for the kernels. Shared by all threads
/// of a process; the buffers of a pass belong to `LayerPass`.
///
/// See also `LayerDescription` (what a model is written in) and `Network` (which plans its layers and their buffers).
public protocol Layer: AnyObject {
  /// What a person calls it: "convolution 1", "affine 8". Unique in a network.
  var name: String { get }
  var outputShape: FeatureShape { get }
  /// Shapes and fan-ins of the parameters, in the order in which they lie in the flat buffer.
  var parameterShapes: [ParameterShape] { get }
  /// How the layer wants its input to lie. The border is the zeros it needs around it.
  var inputLayout: ActivationLayout { get }
  /// Whether the output is what a ReLU left, so that the gradient written to it has to be masked by it.
  var outputIsRectified: Bool { get }
  /// Floating-point operations of one sample, forward: a multiplication and an addition count as two. For reports; one
  /// a value of the output unless a layer says otherwise.
  var forwardOperations: Int { get }
  /// Floats of each of the scratch buffers that a pass over `samples` needs. Layers share them, one after another.
  func scratchCounts(samples: Int) -> [Int]

  /// Brings the parameters into the kernels' form. Once after each change of the parameters.
  ///
  /// - Parameter parameters: this layer's part of the flat buffer.
  func prepare(_ parameters: UnsafePointer<Float>)

  /// Buffers and code to run the layer in one thread.
  func makePass(_ connection: LayerConnection) -> LayerPass
}

extension Layer {
  public var parameterShapes: [ParameterShape] { [] }
  public var forwardOperations: Int { outputShape.count }
  public var outputIsRectified: Bool { false }
  public func scratchCounts(samples: Int) -> [Int] { [] }
  public func prepare(_ parameters: UnsafePointer<Float>) {}
}

/// Shape of a parameter tensor and the number of values that flow into one output (0: a bias).
public struct ParameterShape: Equatable, Sendable {
  public let shape: [Int]
  public let fanIn: Int

  public init(shape: [Int], fanIn: Int) {
    self.shape = shape
    self.fanIn = fanIn
  }

  public var count: Int { shape.reduce(1, *) }
}

/// What a layer's pass reads and writes.
public struct LayerConnection {
  public let input: Activation
  /// Where the gradient of the input goes; nil where nobody needs it.
  public let inputGradient: Activation?
  /// Whether the input is what a ReLU left: then its gradient is written only where the input is positive.
  public let inputIsRectified: Bool
  public let output: Activation
  public let outputGradient: Activation
  /// The most samples in one group.
  public let samples: Int
  /// Buffers of at least `scratchCounts` floats, shared with other layers.
  public let scratch: [UnsafeMutablePointer<Float>]
  /// Memory for what the pass keeps between its calls, which lives as long as the pass. To be taken in `makePass` alone:
  /// a step allocates nothing.
  public let arena: Arena
}

/// A layer at work in one thread. All calls for one microbatch come in this order: `begin`, then for each group
/// `forward` and (in training) `backward`, then `finish`.
public protocol LayerPass: AnyObject {
  func begin()
  func forward(_ group: SampleGroup)
  /// Writes the gradient of the input and gathers the gradient of the parameters.
  ///
  /// - Parameter gradient: this layer's part of the flat gradient buffer.
  func backward(_ group: SampleGroup, gradient: UnsafeMutablePointer<Float>)
  /// Completes the gradient of the parameters, each of which has been written when this returns.
  func finish(gradient: UnsafeMutablePointer<Float>)
}

extension LayerPass {
  public func begin() {}
  public func finish(gradient: UnsafeMutablePointer<Float>) {}
}

/// Some samples of a microbatch that go through the layers together, forward and backward, while they are in cache.
public struct SampleGroup {
  public let count: Int
  /// Whether it is the first of its microbatch.
  public let isFirst: Bool
  /// Whether it is the last of its microbatch.
  public let isLast: Bool
  /// What the pass is for.
  public let mode: PassMode
  /// Indices of the samples in the data set.
  public let samples: UnsafePointer<UInt32>
}

/// Training or prediction, which differ in dropout.
public enum PassMode: Sendable {
  /// Random numbers are keyed by seed and epoch, and by the index of the sample.
  case training(seed: UInt64, epoch: Int)
  case prediction
}

/// Cuts `count` samples into as few parts of at most `limit` as possible, as equal as possible, larger ones first.
@inline(__always)
func forEachPart(of count: Int, limit: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
  let parts = (count + limit - 1) / limit
  var start = 0
  for part in 0..<parts {
    let size = (count - start + (parts - part) - 1) / (parts - part)
    body(start, size)
    start += size
  }
}
