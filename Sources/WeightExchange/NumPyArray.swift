import Checkpoints

/// An array as NumPy describes it: where its bytes are, and what they mean.
struct NumPyArray {
  /// The kinds of element that become float32.
  struct ElementType: Equatable {
    /// In bytes: 4 or 8, both IEEE 754.
    let size: Int
    var isBigEndian: Bool

    /// - Parameter name: NumPy's: "f4", "<f8", ">f4".
    init?(_ name: some StringProtocol) {
      guard let size = ["f4": 4, "f8": 8][String(name.suffix(2))] else { return nil }
      switch name.dropLast(2) {
      case "", "<", "=": isBigEndian = false
      case ">": isBigEndian = true
      default: return nil
      }
      self.size = size
    }
  }

  /// More dimensions than any network has.
  static let maximumRank = 8

  let shape: [Int]
  let type: ElementType
  /// Whether the first index changes fastest, and not the last.
  let isFortranOrder: Bool
  let byteCount: Int

  /// - Parameter offset: where the shape stands, for the message of an error.
  init(shape: [Int], type: ElementType, isFortranOrder: Bool, offset: Int?) throws(FormatProblem) {
    guard shape.count <= Self.maximumRank else {
      throw FormatProblem("an array has \(shape.count) dimensions, more than \(Self.maximumRank)", at: offset)
    }
    guard let size = Tensor.count(of: shape)?.multipliedReportingOverflow(by: type.size), !size.overflow else {
      throw FormatProblem("the shape \(shape) of an array is none", at: offset)
    }
    byteCount = size.partialValue
    self.shape = shape
    self.type = type
    self.isFortranOrder = isFortranOrder
  }

  /// The array's values, each rounded to the nearest float32.
  ///
  /// - Parameters:
  ///   - bytes: as many as the shape asks for.
  ///   - offset: where they stand in the file, for the message of an error.
  func tensor(named name: String, from bytes: ArraySlice<UInt8>, offset: Int?) throws(FormatProblem) -> Tensor {
    guard bytes.count == byteCount else {
      throw FormatProblem(
        "the array \"\(printable(name))\" of shape \(shape) takes \(byteCount) bytes, but it has \(bytes.count)",
        at: offset)
    }
    let count = bytes.count / type.size
    var values = [Float](repeating: 0, count: count)
    var overflow: Int?
    bytes.withUnsafeBytes { raw in
      for index in 0..<count {
        let value: Double
        if type.size == 8 {
          let bits = raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
          value = Double(bitPattern: type.isBigEndian ? UInt64(bigEndian: bits) : UInt64(littleEndian: bits))
        } else {
          let bits = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
          values[index] = Float(bitPattern: type.isBigEndian ? UInt32(bigEndian: bits) : UInt32(littleEndian: bits))
          continue
        }
        values[index] = Float(value)
        if value.isFinite, !values[index].isFinite { overflow = overflow ?? index }
      }
    }
    if let overflow {
      throw FormatProblem(
        "value \(overflow) of the array \"\(printable(name))\" is beyond what float32 can hold", at: offset)
    }
    return Tensor(name: name, shape: shape, values: isFortranOrder ? rowMajor(values) : values)
  }

  /// The values with the last index changing fastest, from those with the first.
  private func rowMajor(_ values: [Float]) -> [Float] {
    guard shape.count > 1, !values.isEmpty else { return values }
    var strides: [Int] = []
    var stride = 1
    for size in shape {
      strides.append(stride)
      stride *= size
    }
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    return values.indices.map { _ in
      let value = values[place]
      var dimension = shape.count - 1
      while dimension >= 0 {
        index[dimension] += 1
        place += strides[dimension]
        if index[dimension] < shape[dimension] { break }
        place -= strides[dimension] * shape[dimension]
        index[dimension] = 0
        dimension -= 1
      }
      return value
    }
  }
}
