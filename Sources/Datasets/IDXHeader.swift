import Failures

/// What an idx file is meant to hold.
enum IDXRole: String {
  case images, labels
}

/// The header of an idx file: two zero bytes, the type of the elements, the number of dimensions, then each dimension
/// as a big-endian 32-bit number; the elements follow, the last dimension running fastest.
///
/// Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "File formats".
struct IDXHeader: Equatable {
  let dimensions: [Int]

  static let maximumByteCount = 4 + 4 * 4
  var byteCount: Int { 4 + 4 * dimensions.count }
  /// The bytes that the whole file has, header included.
  let fileByteCount: Int

  /// Reads the header of a file of unsigned bytes.
  ///
  /// - Parameter bytes: the first bytes of the file, all of it or at least ``maximumByteCount``.
  /// - Throws: `.badData` naming `path` and the byte.
  init(_ bytes: UnsafeRawBufferPointer, role: IDXRole, path: String) throws(Failure) {
    guard !bytes.isEmpty else { throw Self.bad("\(path) is empty") }
    guard bytes.count >= 4 else {
      throw Self.bad("\(path) is truncated: it ends after byte \(bytes.count) of a header that has at least 8")
    }
    guard bytes[0] == 0 && bytes[1] == 0 else {
      let start = bytes.prefix(4).map { hexadecimal(UInt64($0), digits: 2) }.joined(separator: " ")
      throw Self.bad("\(path) is not an idx file: it begins with the bytes \(start), not with 00 00")
    }
    guard bytes[2] == 0x08 else {
      throw Self.bad(
        "\(path) holds \(Self.typeName(bytes[2])) at byte 2, where unsigned bytes (type code 0x08) are needed")
    }
    let rank = Int(bytes[3])
    let needed = role == .images ? "3 (count, height, width) or 4 (count, channels, height, width)" : "1 (count)"
    guard role == .images ? rank == 3 || rank == 4 : rank == 1 else {
      throw Self.bad("\(path) has \(rank) dimension\(rank == 1 ? "" : "s") at byte 3, where \(role) have \(needed)")
    }
    guard bytes.count >= 4 + 4 * rank else {
      throw Self.bad("\(path) is truncated: it ends after byte \(bytes.count) of its header's \(4 + 4 * rank)")
    }
    dimensions = (0..<rank).map { index in
      (0..<4).reduce(0) { value, byte in value << 8 | Int(bytes[4 + 4 * index + byte]) }
    }
    let shape = dimensions.map(String.init).joined(separator: " x ")
    guard !dimensions.contains(0) else { throw Self.bad("\(path) holds nothing: its dimensions are \(shape)") }
    var total = 4 + 4 * rank
    var elements = 1
    for dimension in dimensions {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard !overflow && product < 1 << 48 else {
        throw Self.bad("\(path) announces absurd dimensions, \(shape)")
      }
      elements = product
    }
    total += elements
    fileByteCount = total
  }

  /// "60000 x 28 x 28".
  var shape: String { dimensions.map(String.init).joined(separator: " x ") }

  /// Channels, height and width, for images.
  var imageShape: ImageShape {
    dimensions.count == 4
      ? ImageShape(channels: dimensions[1], height: dimensions[2], width: dimensions[3])
      : ImageShape(channels: 1, height: dimensions[1], width: dimensions[2])
  }

  static func bad(_ cause: String) -> Failure {
    Failure(.badData, cause, remedy: "get the file again (launch/fetch-mnist.sh for MNIST)")
  }

  private static func typeName(_ code: UInt8) -> String {
    let name =
      switch code {
      case 0x09: "signed bytes"
      case 0x0B: "16-bit integers"
      case 0x0C: "32-bit integers"
      case 0x0D: "32-bit floats"
      case 0x0E: "64-bit floats"
      default: "an unknown type"
      }
    return "\(name) (type code 0x\(hexadecimal(UInt64(code), digits: 2)))"
  }
}

func hexadecimal(_ value: UInt64, digits: Int) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
