import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a model is written in: one layer after another, each said in the field's terms. `Network` plans them for a
/// shape of input and fuses what can share a pass.
public enum LayerDescription: Sendable {
  case convolution(filters: Int, size: Int, padding: Int, stride: Int)
  case relu
  case maxPooling(size: Int, stride: Int)
  case affine(outputs: Int)
  case dropout(ratio: Double, form: Dropout.Form)
  /// A layer of the user's own, made for the shape of its input.
  case custom(@Sendable (_ name: String, _ inputShape: FeatureShape) throws(Failure) -> any Layer)
}

/// Turns descriptions into layers, each for the shape that the one before it leaves.
struct LayerPlanner {
  private var layers: [any Layer] = []
  private var shape: FeatureShape
  private var dropouts: UInt16 = 0
  private let kernels: Convolution.Kernels
  /// What the layers so far need, about.
  private var bytes = 0
  /// Of all layers' weights.
  private let arena = Arena()

  init(inputShape: FeatureShape, kernels: Convolution.Kernels) {
    shape = inputShape
    self.kernels = kernels
  }

  /// - Parameter fused: whether ReLU and pooling may become part of the layer before them. The values are the same to
  ///   the last bit either way. A gradient may take another way through a pooling: fused, the largest of a window is
  ///   found before the bias is added, which may round two different values to one.
  static func plan(
    _ descriptions: [LayerDescription], inputShape: FeatureShape, kernels: Convolution.Kernels, fused: Bool
  ) throws(Failure) -> [any Layer] {
    var planner = LayerPlanner(inputShape: inputShape, kernels: kernels)
    var rest = descriptions[...]
    while let next = rest.popFirst() { try planner.add(next, followedBy: &rest, fused: fused) }
    return planner.layers
  }

  private mutating func add(
    _ description: LayerDescription, followedBy rest: inout ArraySlice<LayerDescription>, fused: Bool
  ) throws(Failure) {
    let number = layers.count + 1
    let layer: any Layer
    switch description {
    case .convolution(let filters, let size, let padding, let stride):
      try require(filters > 0 && size > 0 && padding >= 0 && stride > 0, "convolution", number)
      try require(
        shape.height + 2 * padding >= size && shape.width + 2 * padding >= size,
        "convolution with a \(size)x\(size) filter",
        number)
      try reserve(
        parameters: filters * shape.channels * size * size,
        values: FeatureShape(channels: max(filters, shape.channels), height: shape.height, width: shape.width), number)
      let kernel = Convolution.kernel(
        filterHeight: size, filterWidth: size, padding: padding, stride: stride, isFirst: layers.isEmpty,
        kernels: kernels)
      let convolved = Convolution.convolvedShape(
        of: shape, filters: filters, filterHeight: size, filterWidth: size, padding: padding, stride: stride)
      layer = Convolution(
        name: "convolution \(number)", inputShape: shape, filters: filters, filterHeight: size, filterWidth: size,
        padding: padding, stride: stride,
        epilogue: epilogue(of: kernel, leaving: convolved, with: &rest, fused: fused), isFirst: layers.isEmpty,
        kernels: kernels, arena: arena)
    case .relu:
      layer = ReLU(name: "relu \(number)", inputShape: shape)
    case .maxPooling(let size, let stride):
      try require(size > 0 && stride > 0, "max pooling", number)
      try require(shape.height >= size && shape.width >= size, "max pooling over \(size)x\(size) windows", number)
      layer = MaxPooling(name: "pooling \(number)", inputShape: shape, size: size, stride: stride)
    case .affine(let outputs):
      try require(outputs > 0, "affine layer", number)
      try reserve(parameters: shape.count * outputs, values: shape, number)
      var rectified = false
      // What it rectifies has to be followed by a layer that masks the gradient.
      if fused, rest.count > 1, case .relu = rest.first {
        rest.removeFirst()
        rectified = true
      }
      layer = Affine(name: "affine \(number)", inputShape: shape, outputs: outputs, rectified: rectified, arena: arena)
    case .dropout(let ratio, let form):
      try require(ratio >= 0 && ratio < 1, "dropout", number)
      layer = Dropout(name: "dropout \(number)", inputShape: shape, ratio: ratio, form: form, index: dropouts)
      dropouts += 1
    case .custom(let make):
      layer = try make("layer \(number)", shape)
    }
    layers.append(layer)
    shape = layer.outputShape
  }

  /// Takes a ReLU, and with it a pooling whose windows lie inside Winograd's tiles, off the layers that follow.
  private func epilogue(
    of kernel: Convolution.Kernel, leaving convolved: FeatureShape, with rest: inout ArraySlice<LayerDescription>,
    fused: Bool
  ) -> Convolution.Epilogue {
    guard fused, rest.count > 1, case .relu = rest.first else { return .none }
    rest.removeFirst()
    if kernel == .winograd, convolved.height % 4 == 0, convolved.width % 4 == 0,
      case .maxPooling(size: 2, stride: 2) = rest.first
    {
      rest.removeFirst()
      return .reluAndPooling
    }
    return .relu
  }

  /// Refuses a layer that the machine's memory could not hold, before anything is allocated for it.
  ///
  /// Parameters are kept about twenty times: themselves, moments, the gradients of the tree, the kernels' forms. Values
  /// of a group of samples are kept with their gradients and, for Winograd's kernels, transformed.
  private mutating func reserve(parameters: Int, values: FeatureShape, _ number: Int) throws(Failure) {
    bytes += 4 * (20 * parameters + 8 * Network.groupSize * values.count)
    let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    guard bytes > memory else { return }
    throw Failure(
      .configuration,
      "the network needs about \(bytes >> 30) GiB up to layer \(number), and this machine has \(memory >> 30)",
      remedy: "make the layers smaller, or the images")
  }

  private func require(_ condition: Bool, _ what: String, _ number: Int) throws(Failure) {
    guard !condition else { return }
    throw Failure(
      .configuration, "layer \(number), a \(what), does not fit its input of shape \(shape)",
      remedy: "change the sizes of the model, or the images")
  }
}
