import Checkpoints
import DataParallel
import Digests
import NeuralNetwork
import Optimizers

/// Parameters as they are stored and travel.
extension ParameterStore {
  /// The parameters in place.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: values, count: count * MemoryLayout<Float>.stride)
  }

  /// Of the parameters as they are: what a run prints at its end.
  public var digest: Digest { WeightsDigest.of(UnsafeBufferPointer(start: values, count: count)) }

  /// A copy, tensor by tensor, as `SafetensorsFile` takes it.
  public var tensorsByValue: [Tensor] {
    tensors.map { Tensor(name: $0.name, shape: $0.shape, copying: UnsafeBufferPointer(values(of: $0))) }
  }

  /// Takes the values of tensors that match this store's, one by one. `Network.prepareParameters` has to follow.
  public func take(_ values: [Tensor]) {
    for (tensor, value) in zip(tensors, values) { _ = self.values(of: tensor).update(fromContentsOf: value.values) }
  }

  /// All that the ranks have to hold alike, in place: the parameters, then each of the states that go with them.
  func parts(with states: [OptimizerState]) -> [StateAgreement.Part] {
    func parts(_ values: UnsafePointer<Float>, _ what: String) -> [StateAgreement.Part] {
      tensors.map { StateAgreement.Part(name: $0.name + what, values: values + $0.offset, count: $0.count) }
    }
    return parts(values, "")
      + states.flatMap { parts($0.values, ", its " + $0.name.replacing("_", with: " ")) }
  }
}
