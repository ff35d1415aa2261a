import Checkpoints

/// One array in NumPy's own format: a header that is the text of a Python dict, then the data.
///
/// Source: the docstring of numpy.lib.format, versions 1 to 3.
enum NPYFile {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  static func tensor(named name: String, from bytes: [UInt8]) throws(FormatProblem) -> Tensor {
    var cursor = ByteCursor(bytes)
    guard bytes.starts(with: magic) else { throw FormatProblem("it does not begin as NumPy's arrays do", at: 0) }
    _ = try cursor.skip(magic.count)
    let version = try cursor.byte()
    _ = try cursor.byte()
    guard (1...3).contains(version) else { throw FormatProblem("the version of its format is \(version)", at: 6) }
    let length = version == 1 ? try cursor.length(UInt16.self) : try cursor.length(UInt32.self)
    let header = try cursor.skip(length)
    var literal = PythonLiteral(ByteCursor(bytes, in: header))
    let array = try literal.header()
    return try array.tensor(named: name, from: bytes[cursor.offset...], offset: cursor.offset)
  }

  /// A file of version 1, its data at a multiple of 64 bytes.
  static func bytes(of tensor: Tensor) -> [UInt8] {
    let sizes = tensor.shape.map(String.init).joined(separator: ", ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)\(tensor.shape.count == 1 ? "," : "")), }"
    header += String(repeating: " ", count: 63 - (magic.count + 4 + header.utf8.count) % 64) + "\n"
    var bytes = magic + [1, 0] + littleEndian(UInt16(header.utf8.count)) + Array(header.utf8)
    tensor.values.withUnsafeBytes { bytes += $0 }
    return bytes
  }
}

/// Reads the header's dict: of three known keys, a text, a truth value and a tuple of integers.
private struct PythonLiteral {
  private var cursor: ByteCursor

  init(_ cursor: ByteCursor) { self.cursor = cursor }

  mutating func header() throws(FormatProblem) -> NumPyArray {
    let start = cursor.offset
    var type: NumPyArray.ElementType?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try take("{")
    while !isNext("}") {
      let place = cursor.offset
      let key = try text()
      try take(":")
      switch key {
      case "descr" where type == nil:
        let name = try text()
        type = NumPyArray.ElementType(name)
        guard type != nil else {
          throw FormatProblem(
            "its elements are \"\(printable(name))\", and only float32 and float64 are read", at: place)
        }
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try word() == "True"
      case "shape" where shape == nil: shape = try tuple()
      default: throw FormatProblem("the key \"\(printable(key))\" of its header is unknown or twice there", at: place)
      }
      if !isNext("}") { try take(",") }
    }
    try take("}")
    skipBlanks()
    guard cursor.remaining == 0, let type, let isFortranOrder, let shape else {
      throw FormatProblem("its header is not as NumPy writes it", at: start)
    }
    return try NumPyArray(shape: shape, type: type, isFortranOrder: isFortranOrder, offset: start)
  }

  private var next: Unicode.Scalar? { cursor.remaining > 0 ? Unicode.Scalar(cursor.bytes[cursor.offset]) : nil }

  private mutating func skipBlanks() {
    while let next, next == " " || next == "\n" { _ = try? cursor.byte() }
  }

  private mutating func isNext(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    return next == character
  }

  private mutating func take(_ character: Unicode.Scalar) throws(FormatProblem) {
    guard isNext(character) else { throw FormatProblem("expected \(character) in its header", at: cursor.offset) }
    _ = try cursor.byte()
  }

  private mutating func text() throws(FormatProblem) -> String {
    let quote: Unicode.Scalar = isNext("\"") ? "\"" : "'"
    try take(quote)
    let start = cursor.offset
    while let next, next != quote { _ = try cursor.byte() }
    let content = cursor.bytes[start..<cursor.offset]
    try take(quote)
    return String(decoding: content, as: UTF8.self)
  }

  /// True or False.
  private mutating func word() throws(FormatProblem) -> String {
    skipBlanks()
    let start = cursor.offset
    while let next, next.properties.isAlphabetic { _ = try cursor.byte() }
    let word = String(decoding: cursor.bytes[start..<cursor.offset], as: UTF8.self)
    guard word == "True" || word == "False" else { throw FormatProblem("expected True or False", at: start) }
    return word
  }

  private mutating func tuple() throws(FormatProblem) -> [Int] {
    var values: [Int] = []
    try take("(")
    while !isNext(")") {
      guard values.count <= NumPyArray.maximumRank else {
        throw FormatProblem("its shape has too many dimensions", at: cursor.offset)
      }
      values.append(try integer())
      if !isNext(")") { try take(",") }
    }
    try take(")")
    return values
  }

  private mutating func integer() throws(FormatProblem) -> Int {
    skipBlanks()
    let start = cursor.offset
    while let next, ("0"..."9").contains(next) { _ = try cursor.byte() }
    guard let value = Int(String(decoding: cursor.bytes[start..<cursor.offset], as: UTF8.self)) else {
      throw FormatProblem("expected a size", at: start)
    }
    return value
  }
}
