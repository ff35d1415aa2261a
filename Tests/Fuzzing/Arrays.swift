@testable import Checkpoints

/// What holds of every list of arrays that a reader gives.
func requireArrays(_ tensors: [Tensor], from byteCount: Int) {
  require(Set(tensors.map(\.name)).count == tensors.count, "no name is there twice")
  for tensor in tensors { require(tensor.values.count == tensor.shape.reduce(1, *), "shapes hold") }
  require(tensors.reduce(0) { $0 + 4 * $1.values.count } <= byteCount, "no more numbers than the file explains")
}

/// What was written and read again: equal to the last bit.
func requireSame(_ again: [Tensor]?, _ tensors: [Tensor]) {
  guard let again else { return require(false, "what was written can be read") }
  require(again.map(\.name) == tensors.map(\.name), "names stay")
  require(again.map(\.shape) == tensors.map(\.shape), "shapes stay")
  for (first, second) in zip(again, tensors) {
    require(first.values.map(\.bitPattern) == second.values.map(\.bitPattern), "bits stay")
  }
}
