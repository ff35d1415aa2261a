import Checkpoints
import NeuralNetwork

/// Parameters as they are stored and travel.
extension ParameterStore {
  /// The parameters in place.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: values, count: count * MemoryLayout<Float>.stride)
  }

  /// A copy, tensor by tensor.
  var tensorsByValue: [Tensor] {
    tensors.map { Tensor(name: $0.name, shape: $0.shape, copying: UnsafeBufferPointer(values(of: $0))) }
  }

  /// Takes the values of tensors that match this store's, one by one.
  func take(_ values: [Tensor]) {
    for (tensor, value) in zip(tensors, values) { _ = self.values(of: tensor).update(fromContentsOf: value.values) }
  }
}
