import Arithmetic

extension ParameterStore {
  /// He's initial weights: standard normal times √(2 / fan-in); biases 0.
  ///
  /// He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015), equation 10. The numbers depend on the seed, the
  /// place of the tensor in the model and the place in the tensor, and on nothing else.
  public func initialize(seed: UInt64) {
    for (index, tensor) in tensors.enumerated() {
      guard tensor.fanIn > 0 else {
        values(of: tensor).update(repeating: 0)
        continue
      }
      var stream = RandomStream(seed: seed, purpose: .initialization, layer: UInt16(truncatingIfNeeded: index))
      let scale = (2 / Double(tensor.fanIn)).squareRoot()
      for i in values(of: tensor).indices {
        values[tensor.offset + i] = Float(stream.nextNormal() * scale)
      }
    }
  }
}
