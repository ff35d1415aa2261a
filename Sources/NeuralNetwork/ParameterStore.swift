/// One tensor of a model's parameters: its name, shape and place in the flat buffer.
public struct ParameterTensor: Equatable, Sendable {
  /// "W1", "b1", "W2", …: the book's names.
  public let name: String
  /// The book's shape: [filters, channels, height, width], [inputs, outputs], [outputs].
  public let shape: [Int]
  /// Floats before it in the flat buffer.
  public let offset: Int
  /// Values that flow into one output; 0 for a bias, which starts at 0.
  public let fanIn: Int

  public var count: Int { shape.reduce(1, *) }
}

/// All parameters of a model in one flat buffer, each tensor in the book's shape, row-major, one after the other
/// without gaps: reduction, update, digest and checkpoint are each one pass over it.
public final class ParameterStore {
  public let tensors: [ParameterTensor]
  /// The number of parameters.
  public let count: Int
  /// The parameters, then zeros up to `paddedCount`.
  public let values: UnsafeMutablePointer<Float>

  init(tensors: [ParameterTensor]) {
    self.tensors = tensors
    count = tensors.reduce(0) { $0 + $1.count }
    let padded = Self.padded(count)
    values = UnsafeMutableRawPointer.allocate(byteCount: padded * 4, alignment: 64)
      .initializeMemory(as: Float.self, repeating: 0, count: padded)
  }

  /// `count` rounded up to a multiple of 16: what every buffer that goes with this one has to hold.
  public var paddedCount: Int { Self.padded(count) }

  public static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  public func tensor(named name: String) -> ParameterTensor? { tensors.first { $0.name == name } }

  public func values(of tensor: ParameterTensor) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: values + tensor.offset, count: tensor.count)
  }

  deinit { values.deallocate() }
}
