import Kernels

/// Convolution of any filter size, stride and padding, with what follows it fused in where that saves a pass.
///
/// 3x3 filters of stride 1 over blocked channels go through Winograd's F(4x4, 3x3), every other shape through direct
/// kernels. The choice depends on the shape alone: it enters the bits.
public final class Convolution: Layer {
  /// What follows the convolution in the same pass.
  public enum Epilogue: Sendable {
    case none, relu
    /// ReLU, then 2x2 max pooling with stride 2.
    case reluAndPooling
  }

  public let name: String
  public let inputShape: FeatureShape
  public let filters: Int
  public let filterHeight: Int
  public let filterWidth: Int
  public let padding: Int
  public let stride: Int
  public let epilogue: Epilogue
  /// Shape before pooling.
  public let convolvedShape: FeatureShape
  let arrangement: ActivationLayout.Arrangement
  let kernel: Kernel

  /// Which kernels serve a convolution.
  enum Kernel { case winograd, direct }

  /// How the kernels of a convolution are chosen.
  public enum Kernels: String, CaseIterable, Sendable {
    /// Winograd's where the shape allows them, direct ones elsewhere.
    case byShape
    /// Direct ones everywhere: the reference that Winograd's are held against.
    case direct
  }

  private let arena: Arena
  /// [filters / 8][channels][taps][8].
  let panels: UnsafeMutablePointer<Float>
  /// [channels / 8][filters][taps][8], for the gradient of the input.
  let transposedPanels: UnsafeMutablePointer<Float>
  let bias: UnsafeMutablePointer<Float>
  /// Winograd's transformed weights, forward and for the gradient of the input.
  private(set) var forwardWeights: UnsafeMutablePointer<Float>?
  private(set) var backwardWeights: UnsafeMutablePointer<Float>?

  /// - Parameters:
  ///   - arena: where the weights in the kernels' form lie.
  ///   - isFirst: whether the input is the planar image, whose gradient nobody needs.
  public init(
    name: String, inputShape: FeatureShape, filters: Int, filterHeight: Int, filterWidth: Int, padding: Int,
    stride: Int, epilogue: Epilogue = .none, isFirst: Bool = false, kernels: Kernels = .byShape, arena: Arena = Arena()
  ) {
    self.name = name
    self.inputShape = inputShape
    self.filters = filters
    self.filterHeight = filterHeight
    self.filterWidth = filterWidth
    self.padding = padding
    self.stride = stride
    self.epilogue = epilogue
    self.arena = arena
    convolvedShape = Self.convolvedShape(
      of: inputShape, filters: filters, filterHeight: filterHeight, filterWidth: filterWidth, padding: padding,
      stride: stride)
    arrangement = isFirst ? .planar : .blocked
    kernel = Self.kernel(
      filterHeight: filterHeight, filterWidth: filterWidth, padding: padding, stride: stride, isFirst: isFirst,
      kernels: kernels)
    panels = arena.allocate((filters + 7) / 8 * inputShape.channels * filterHeight * filterWidth * 8)
    transposedPanels = arena.allocate((inputShape.channels + 7) / 8 * filters * filterHeight * filterWidth * 8)
    bias = arena.allocate((filters + 15) / 16 * 16)
    if kernel == .winograd {
      forwardWeights = arena.allocate(36 * forwardShape(samples: 1).weightStride)
      backwardWeights = arena.allocate(36 * backwardShape(samples: 1).weightStride)
    }
  }

  /// The kernels that serve a shape.
  static func kernel(
    filterHeight: Int, filterWidth: Int, padding: Int, stride: Int, isFirst: Bool, kernels: Kernels
  ) -> Kernel {
    kernels == .byShape && !isFirst && filterHeight == 3 && filterWidth == 3 && stride == 1 && padding <= 2
      ? .winograd : .direct
  }

  /// The shape that a convolution leaves, before any pooling.
  static func convolvedShape(
    of input: FeatureShape, filters: Int, filterHeight: Int, filterWidth: Int, padding: Int, stride: Int
  ) -> FeatureShape {
    FeatureShape(
      channels: filters, height: (input.height + 2 * padding - filterHeight) / stride + 1,
      width: (input.width + 2 * padding - filterWidth) / stride + 1)
  }

  public var outputShape: FeatureShape {
    epilogue == .reluAndPooling
      ? FeatureShape(
        channels: filters, height: convolvedShape.height / 2, width: convolvedShape.width / 2) : convolvedShape
  }
  public var inputLayout: ActivationLayout {
    ActivationLayout(shape: inputShape, border: padding, arrangement: arrangement)
  }
  /// A pooled gradient needs no mask: the places of the maxima say where nothing was positive.
  public var outputIsRectified: Bool { epilogue == .relu }
  public var taps: Int { filterHeight * filterWidth }
  public var forwardOperations: Int { 2 * convolvedShape.count * inputShape.channels * taps }
  public var parameterShapes: [ParameterShape] {
    [
      ParameterShape(
        shape: [filters, inputShape.channels, filterHeight, filterWidth], fanIn: inputShape.channels * taps),
      ParameterShape(shape: [filters], fanIn: 0),
    ]
  }

  public func prepare(_ parameters: UnsafePointer<Float>) {
    let channels = inputShape.channels
    packRows(parameters, rows: filters, columns: channels * taps, panels: panels, panelStride: channels * taps * 8)
    bias.update(from: parameters + filters * channels * taps, count: filters)
    guard arrangement == .blocked else { return }
    transposePanels(
      panels, inputChannels: channels, outputChannels: filters, taps: taps, transposed: transposedPanels)
    guard let forwardWeights, let backwardWeights else { return }
    winogradKernels.weightTransform(
      panels: panels, inputChannels: channels, paddedInputChannels: forwardShape(samples: 1).inputChannels,
      outputBlocks: (filters + 7) / 8, weights: forwardWeights,
      frequencyStride: forwardShape(samples: 1).weightStride)
    winogradKernels.weightTransform(
      panels: transposedPanels, inputChannels: filters,
      paddedInputChannels: backwardShape(samples: 1).inputChannels, outputBlocks: (channels + 7) / 8,
      weights: backwardWeights, frequencyStride: backwardShape(samples: 1).weightStride)
  }

  public func scratchCounts(samples: Int) -> [Int] {
    kernel == .winograd ? WinogradConvolutionPass.scratchCounts(self, samples: samples) : []
  }

  public func makePass(_ connection: LayerConnection) -> LayerPass {
    kernel == .winograd
      ? WinogradConvolutionPass(self, connection) : DirectConvolutionPass(self, connection)
  }

  var winogradKernels: WinogradKernels {
    WinogradKernels(inputBlocks: (inputShape.channels + 7) / 8, outputBlocks: (filters + 7) / 8)
  }
  var tileRows: Int { (convolvedShape.height + 3) / 4 }
  var tileColumns: Int { (convolvedShape.width + 3) / 4 }

  func forwardShape(samples: Int) -> WinogradProductShape {
    WinogradProductShape(
      tiles: samples * tileRows * tileColumns, inputChannels: (inputShape.channels + 7) / 8 * 8,
      outputChannels: (filters + 15) / 16 * 16)
  }

  /// From the transformed gradients, as `forwardShape` has them, to those of the transformed inputs.
  func backwardShape(samples: Int) -> WinogradProductShape {
    let forward = forwardShape(samples: samples)
    return WinogradProductShape(
      tiles: forward.tiles, inputChannels: forward.outputChannels,
      outputChannels: (inputShape.channels + 15) / 16 * 16)
  }
}
