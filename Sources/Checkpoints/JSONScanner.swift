/// What is wrong in a JSON text, and at which byte, counted from its start.
public struct JSONProblem: Error {
  public let reason: String
  /// Nil where it is not a matter of one place.
  public let offset: Int?

  public init(reason: String, offset: Int?) {
    self.reason = reason
    self.offset = offset
  }
}

/// Reads JSON (RFC 8259) strictly from its start to its end, led by what the caller expects next.
///
/// It is here instead of Foundation's reader because that one takes the last of two members of the same name without a
/// word, builds a tree of whatever a file holds, and costs start-up time. As the caller says what comes next, nothing is
/// kept that it did not ask for, and no nesting is deeper than the caller's.
public struct JSONScanner {
  private let bytes: [UInt8]
  public private(set) var offset = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads an object; the closure reads each member's value. A name that is there twice is an error.
  public mutating func object(
    _ member: (_ name: String, _ scanner: inout JSONScanner) throws(JSONProblem) -> Void
  ) throws(JSONProblem) {
    var names: Set<String> = []
    try elements(from: "{", to: "}") { (scanner) throws(JSONProblem) in
      let start = scanner.offset
      let name = try scanner.string()
      guard names.insert(name).inserted else {
        throw JSONProblem(reason: "the name \"\(printable(name))\" is there twice", offset: start)
      }
      try scanner.take(":")
      try member(name, &scanner)
    }
  }

  /// Reads an array; the closure reads each element.
  public mutating func array(_ element: (_ scanner: inout JSONScanner) throws(JSONProblem) -> Void) throws(JSONProblem)
  {
    try elements(from: "[", to: "]", element)
  }

  public mutating func string() throws(JSONProblem) -> String {
    skipBlanks()
    let start = offset
    try take("\"")
    var text: [UInt8] = []
    while true {
      guard offset < bytes.count else { throw JSONProblem(reason: "a text has no end", offset: start) }
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw JSONProblem(reason: "a text is not UTF-8", offset: start)
        }
        return string
      case UInt8(ascii: "\\"): text += Array(String(try escapedScalar()).utf8)
      case 0..<0x20: throw JSONProblem(reason: "a text holds a control character", offset: offset - 1)
      default: text.append(byte)
      }
    }
  }

  /// Reads an integer that is not negative and fits an `Int`, without fraction or exponent.
  public mutating func unsignedInteger() throws(JSONProblem) -> Int {
    skipBlanks()
    let start = offset
    var value = 0
    while offset < bytes.count, case let digit = Int(bytes[offset]) - 0x30, (0...9).contains(digit) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(digit)
      guard !overflow, !carry else { throw JSONProblem(reason: "an integer is too large", offset: start) }
      value = sum
      offset += 1
    }
    guard offset > start else {
      throw JSONProblem(reason: "expected an integer that is not negative, found \(found())", offset: start)
    }
    guard bytes[start] != 0x30 || offset == start + 1 else {
      throw JSONProblem(reason: "an integer begins with 0", offset: start)
    }
    return value
  }

  /// Reads a number, or null as not a number.
  public mutating func number() throws(JSONProblem) -> Double {
    skipBlanks()
    let start = offset
    while offset < bytes.count, bytes[offset] > 0x20, !",]}".utf8.contains(bytes[offset]) { offset += 1 }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if text == "null" { return .nan }
    // What Swift reads as a number and JSON does not: signs, hexadecimal digits, and words.
    guard let value = Double(text), text.first != "+", text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) })
    else {
      throw JSONProblem(reason: "expected a number, found \(found(at: start))", offset: start)
    }
    return value
  }

  /// Reads the next value, whatever it is, and forgets it.
  public mutating func skipValue(depth: Int = 0) throws(JSONProblem) {
    skipBlanks()
    guard depth < 32 else { throw JSONProblem(reason: "values lie too deep within each other", offset: offset) }
    switch offset < bytes.count ? Unicode.Scalar(bytes[offset]) : " " {
    case "{": try object { (_, scanner) throws(JSONProblem) in try scanner.skipValue(depth: depth + 1) }
    case "[": try array { (scanner) throws(JSONProblem) in try scanner.skipValue(depth: depth + 1) }
    case "\"": _ = try string()
    case "t" where bytes[offset...].starts(with: "true".utf8): offset += 4
    case "f" where bytes[offset...].starts(with: "false".utf8): offset += 5
    default: _ = try number()
    }
  }

  /// Makes sure that only blanks follow.
  public mutating func end() throws(JSONProblem) {
    skipBlanks()
    guard offset == bytes.count else {
      throw JSONProblem(reason: "expected the end, found \(found())", offset: offset)
    }
  }

  mutating func skipBlanks() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0a, 0x0d: offset += 1
      default: return
      }
    }
  }

  private mutating func elements(
    from opening: Unicode.Scalar, to closing: Unicode.Scalar,
    _ element: (_ scanner: inout JSONScanner) throws(JSONProblem) -> Void
  ) throws(JSONProblem) {
    try take(opening)
    skipBlanks()
    if isNext(closing) {
      offset += 1
      return
    }
    while true {
      skipBlanks()
      try element(&self)
      skipBlanks()
      if isNext(closing) {
        offset += 1
        return
      }
      guard isNext(",") else {
        throw JSONProblem(reason: "expected , or \(closing), found \(found())", offset: offset)
      }
      offset += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) throws(JSONProblem) {
    skipBlanks()
    guard isNext(character) else {
      throw JSONProblem(reason: "expected \(character), found \(found())", offset: offset)
    }
    offset += 1
  }

  private func isNext(_ character: Unicode.Scalar) -> Bool {
    offset < bytes.count && bytes[offset] == UInt8(ascii: character)
  }

  private func found() -> String { found(at: offset) }

  private func found(at offset: Int) -> String {
    guard offset < bytes.count else { return "the end" }
    let byte = bytes[offset]
    return byte > 0x20 && byte < 0x7f ? String(Unicode.Scalar(byte)) : "the byte \(byte)"
  }

  /// What follows a backslash.
  private mutating func escapedScalar() throws(JSONProblem) -> Unicode.Scalar {
    let start = offset - 1
    guard offset < bytes.count else { throw JSONProblem(reason: "a text has no end", offset: start) }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit(start: start)
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // The first half of a pair that stands for a character beyond 16 bits.
      guard UTF16.isLeadSurrogate(unit), bytes[offset...].starts(with: "\\u".utf8) else { break }
      offset += 2
      let second = try codeUnit(start: start)
      guard UTF16.isTrailSurrogate(second) else { break }
      let pair = UTF16.EncodedScalar([unit, second])
      return UTF16.decode(pair)
    default: break
    }
    throw JSONProblem(reason: "a text holds an escape that is none", offset: start)
  }

  private mutating func codeUnit(start: Int) throws(JSONProblem) -> UInt16 {
    let digits = bytes[offset...].prefix(4)
    // UInt16(_:radix:) would take a sign.
    guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw JSONProblem(reason: "a text holds an escape that is none", offset: start) }
    offset += 4
    return unit
  }
}

/// A text as a JSON string, in quotes.
func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\u{0}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
