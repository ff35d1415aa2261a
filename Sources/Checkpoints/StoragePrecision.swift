import Arithmetic
import Failures

/// In how many bits weights are stored. The arithmetic is that of float32 in any case.
public enum StoragePrecision: String, CaseIterable, Sendable {
  case float32, float16, bfloat16
  /// Whole numbers from -127 to 127 times a float32 for each output channel (a filter of a convolution, a column of an
  /// affine matrix), the largest of whose weights is 127. Biases stay float32.
  case int8

  /// What is left of a tensor that was stored so.
  ///
  /// - Parameter path: where it is from, for messages.
  /// - Throws: `.badData` where a value is beyond what the precision holds.
  public func rounded(_ tensor: Tensor, from path: String) throws(Failure) -> Tensor {
    let parts = try stored(tensor, from: path)
    let values = parts[0].values(scales: parts.count > 1 ? parts[1].floats : nil)
    return Tensor(name: tensor.name, shape: tensor.shape, values: values)
  }

  /// As it stands in a safetensors file: the tensor, and with int8 its scales.
  func stored(_ tensor: Tensor, from path: String) throws(Failure) -> [StoredTensor] {
    let (name, shape, values) = (tensor.name, tensor.shape, tensor.values)
    func beyond(_ place: Int) -> Failure {
      Failure(
        .badData,
        "\(path): value \(place) of \"\(printable(name))\", \(values[place]), is beyond what \(rawValue) holds",
        remedy: "keep the weights in float32")
    }
    switch self {
    case .float32: return [StoredTensor(name: name, shape: shape, type: .float32, bytes: bytes(of: values))]
    case .float16:
      let halves = values.map(HalfPrecision.float16)
      let lost = halves.indices.first { halves[$0] & 0x7fff >= 0x7c00 && values[$0].isFinite }
      if let lost { throw beyond(lost) }
      return [StoredTensor(name: name, shape: shape, type: .float16, bytes: bytes(of: halves))]
    case .bfloat16:
      let halves = values.map(HalfPrecision.bfloat16)
      let lost = halves.indices.first { halves[$0] & 0x7fff >= 0x7f80 && values[$0].isFinite }
      if let lost { throw beyond(lost) }
      return [StoredTensor(name: name, shape: shape, type: .bfloat16, bytes: bytes(of: halves))]
    case .int8:
      guard let axis = OutputAxis(shape: shape) else {
        return [StoredTensor(name: name, shape: shape, type: .float32, bytes: bytes(of: values))]
      }
      if let place = values.firstIndex(where: { !$0.isFinite }) { throw beyond(place) }
      var scales = [Float](repeating: 0, count: axis.count)
      for (place, value) in values.enumerated() {
        scales[axis.channel(of: place)] = max(scales[axis.channel(of: place)], value.magnitude)
      }
      // A channel of zeros keeps a scale that can be divided by.
      scales = scales.map { $0 / 127 > 0 ? $0 / 127 : 1 }
      let integers = values.enumerated().map { place, value in
        let quotient = (value / scales[axis.channel(of: place)]).rounded(.toNearestOrEven)
        return Int8(max(-127, min(127, quotient)))
      }
      return [
        StoredTensor(name: name, shape: shape, type: .int8, bytes: bytes(of: integers)),
        StoredTensor(
          name: name + StoredTensor.scaleSuffix, shape: [axis.count], type: .float32, bytes: bytes(of: scales)),
      ]
    }
  }

  private func bytes<Value: BitwiseCopyable>(of values: [Value]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
}

extension SafetensorsFile {
  /// What is left of the tensors when they are stored so.
  ///
  /// - Parameter path: where they are from, for messages.
  /// - Throws: `.badData` where a value is beyond what the precision holds.
  public func rounded(to precision: StoragePrecision, from path: String) throws(Failure) -> SafetensorsFile {
    guard precision != .float32 else { return self }
    return SafetensorsFile(
      tensors: try tensors.map { (tensor) throws(Failure) in try precision.rounded(tensor, from: path) },
      metadata: metadata)
  }
}

/// Which dimension of a tensor of weights is that of its outputs: the first of [filters, channels, height, width], the
/// last of [inputs, outputs].
private struct OutputAxis {
  let count: Int
  /// Values from one channel to the next.
  private let stride: Int

  /// Nil where the shape is no convolution's or affine layer's.
  init?(shape: [Int]) {
    switch shape.count {
    case 4: (count, stride) = (shape[0], shape[1] * shape[2] * shape[3])
    case 2: (count, stride) = (shape[1], 1)
    default: return nil
    }
  }

  func channel(of place: Int) -> Int { place / stride % count }
}

/// A tensor as a safetensors file holds it.
struct StoredTensor {
  /// What follows the name of an int8 tensor in that of its scales.
  static let scaleSuffix = ".scale"

  /// By the format's names.
  enum ElementType: String, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int8 = "I8"

    /// In bytes.
    var size: Int {
      switch self {
      case .float32: 4
      case .float16, .bfloat16: 2
      case .int8: 1
      }
    }
  }

  let name: String
  let shape: [Int]
  let type: ElementType
  /// Row-major, little-endian, as many as shape and type ask for.
  let bytes: [UInt8]

  var count: Int { bytes.count / type.size }

  /// How many scales an int8 tensor of this shape has; nil where none can be.
  var scaleCount: Int? { OutputAxis(shape: shape)?.count }

  /// The bytes as float32.
  var floats: [Float] { values(scales: nil) }

  /// - Parameter scales: an int8 tensor's, one an output channel; else nil.
  func values(scales: [Float]?) -> [Float] {
    bytes.withUnsafeBytes { raw in
      switch type {
      case .float32: return (0..<count).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      case .float16:
        return (0..<count).map {
          HalfPrecision.float(float16: raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
        }
      case .bfloat16:
        return (0..<count).map {
          HalfPrecision.float(bfloat16: raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
        }
      case .int8:
        guard let scales, let axis = OutputAxis(shape: shape) else { return [] }
        return (0..<count).map { Float(Int8(bitPattern: raw[$0])) * scales[axis.channel(of: $0)] }
      }
    }
  }
}
