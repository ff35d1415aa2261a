import Failures

/// Named float32 tensors and a few texts, as a safetensors file holds them.
public struct SafetensorsFile: Equatable, Sendable {
  /// In numeric order: W1, b1, W2, b2, ….
  public let tensors: [Tensor]
  public let metadata: [String: String]

  /// - Parameter tensors: in any order.
  public init(tensors: [Tensor], metadata: [String: String]) {
    self.tensors = tensors.sorted(by: Tensor.inNumericOrder)
    self.metadata = metadata
  }

  /// The tensors of these names, in this order.
  ///
  /// - Parameters:
  ///   - expected: the names and shapes of a network's parameters.
  ///   - path: where the tensors are from, for messages.
  /// - Throws: `.badData` where one is missing, has another shape, or is there besides.
  public func tensors(
    matching expected: [(name: String, shape: [Int])], from path: String
  ) throws(Failure) -> [Tensor] {
    let remedy = "give the settings (model.…) of the network that these weights are of"
    let byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var result: [Tensor] = []
    for (name, shape) in expected {
      guard let tensor = byName[name] else {
        throw Failure(.badData, "\(path): the tensor \(name) is missing", remedy: remedy)
      }
      guard tensor.shape == shape else {
        throw Failure(
          .badData, "\(path): the tensor \(name) has the shape \(tensor.shape), but the network's has \(shape)",
          remedy: remedy)
      }
      result.append(tensor)
    }
    let names = Set(expected.map(\.name))
    if let surplus = tensors.first(where: { !names.contains($0.name) }) {
      throw Failure(
        .badData, "\(path): the network has no tensor \"\(printable(surplus.name))\"", remedy: remedy)
    }
    return result
  }
}

/// What a run writes beside the weights. The keys are part of the file's format.
extension SafetensorsFile {
  /// - Parameters:
  ///   - step: steps of the optimizer done so far.
  ///   - epoch: epochs done so far.
  ///   - configuration: the settings that enter the arithmetic, as YAML. Nothing of ranks, hosts, time or folders, so
  ///     that equal states are equal files.
  public init(weights: [Tensor], step: Int, epoch: Int, configuration: String) {
    self.init(
      tensors: weights, metadata: ["step": "\(step)", "epoch": "\(epoch)", "configuration": configuration])
  }

  /// Nil where the file does not say, or no integer.
  public var step: Int? { metadata["step"].flatMap { Int($0) } }
  public var epoch: Int? { metadata["epoch"].flatMap { Int($0) } }
  public var configuration: String? { metadata["configuration"] }
}
