import Checkpoints
import Failures

/// What parameters are called, and how they lie, in a file.
public enum ParameterNames: String, CaseIterable, Sendable {
  /// W1, b1, W2, … in the order of the layers; an affine layer's matrix is [inputs, outputs]. dtrain's own are the
  /// book's.
  case dtrain, book
  /// conv1.weight, conv1.bias, …, fc1.weight, …; an affine layer's matrix is [outputs, inputs], as in `nn.Linear`.
  case pytorch

  /// Tensors of dtrain's names under these, in the same order.
  ///
  /// - Parameter path: where they are from, for messages.
  /// - Throws: `.badData` where a tensor is not a convolution's or an affine layer's.
  func tensors(from own: [Tensor], of path: String) throws(Failure) -> [Tensor] {
    guard self == .pytorch else { return own }
    var (convolutions, affines) = (0, 0)
    var layer = ""
    var result: [Tensor] = []
    for tensor in own.sorted(by: Tensor.inNumericOrder) {
      switch (tensor.name.first, tensor.shape.count) {
      case ("W", 4):
        convolutions += 1
        layer = "conv\(convolutions)"
        result.append(Tensor(name: "\(layer).weight", shape: tensor.shape, values: tensor.values))
      case ("W", 2):
        affines += 1
        layer = "fc\(affines)"
        result.append(transposed(tensor, named: "\(layer).weight"))
      case ("b", 1) where !layer.isEmpty:
        result.append(Tensor(name: "\(layer).bias", shape: tensor.shape, values: tensor.values))
      default:
        throw Failure(
          .badData,
          "\(path): the tensor \"\(printable(tensor.name))\" of shape \(tensor.shape) has no name in PyTorch's form",
          remedy: "only weights W1, b1, W2, … of convolutions and affine layers have; leave --names out")
      }
    }
    return result
  }

  /// Tensors under dtrain's names. Those that have PyTorch's names are known by them; others stay as they are.
  ///
  /// - Throws: `.badData` where only some have PyTorch's names.
  static func own(from tensors: [Tensor], of path: String) throws(Failure) -> [Tensor] {
    let places = tensors.map { TorchName($0.name) }
    guard places.contains(where: { $0 != nil }) else { return tensors }
    let layers = Set(places.compactMap { $0?.layer }).sorted()
    return try zip(tensors, places).map { (tensor, place) throws(Failure) in
      guard let place, let index = layers.firstIndex(of: place.layer) else {
        throw Failure(
          .badData,
          "\(path): the tensor \"\(printable(tensor.name))\" is none of conv1.weight, conv1.bias, …, fc1.weight, …",
          remedy: "name the module's layers as README says, or the tensors W1, b1, W2, …")
      }
      let name = (place.isBias ? "b" : "W") + "\(index + 1)"
      return place.layer.isAffine && !place.isBias && tensor.shape.count == 2
        ? transposed(tensor, named: name) : Tensor(name: name, shape: tensor.shape, values: tensor.values)
    }
  }

  private static func transposed(_ tensor: Tensor, named name: String) -> Tensor {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    var values: [Float] = []
    values.reserveCapacity(tensor.values.count)
    for column in 0..<columns {
      for row in 0..<rows { values.append(tensor.values[row * columns + column]) }
    }
    return Tensor(name: name, shape: [columns, rows], values: values)
  }

  private func transposed(_ tensor: Tensor, named name: String) -> Tensor { Self.transposed(tensor, named: name) }
}

/// A name such as "conv2.weight" or "fc1.bias".
private struct TorchName {
  /// In the order of the network: convolutions first.
  struct Layer: Hashable, Comparable {
    let isAffine: Bool
    let number: Int

    static func < (first: Self, second: Self) -> Bool {
      first.isAffine == second.isAffine ? first.number < second.number : !first.isAffine
    }
  }

  let layer: Layer
  let isBias: Bool

  init?(_ name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1] == "weight" || parts[1] == "bias" else { return nil }
    isBias = parts[1] == "bias"
    let isAffine = parts[0].hasPrefix("fc")
    guard isAffine || parts[0].hasPrefix("conv"),
      let number = Int(parts[0].dropFirst(isAffine ? 2 : 4)), number > 0
    else { return nil }
    layer = Layer(isAffine: isAffine, number: number)
  }
}
