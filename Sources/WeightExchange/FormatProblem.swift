import Checkpoints
import Failures

/// What is wrong in a file of another program's format, and at which byte, counted from the file's start.
struct FormatProblem: Error, Equatable {
  let reason: String
  /// Nil where it is not a matter of one place.
  let offset: Int?

  init(_ reason: String, at offset: Int?) {
    self.reason = reason
    self.offset = offset
  }

  /// - Parameter kind: what the file should be, with its article: "a pickle of NumPy arrays".
  func failure(_ path: String, kind: String) -> Failure {
    Failure(
      .badData, "\(path): not \(kind) that can be read: \(offset.map { "byte \($0): " } ?? "")\(reason)",
      remedy: "the file is damaged or holds something else; take another copy of it, or write it anew")
  }
}

/// A file's bytes, and how far they have been read.
struct ByteCursor {
  let bytes: [UInt8]
  private(set) var offset: Int
  /// Where what may be read ends.
  let end: Int

  init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
    self.bytes = bytes
    let range = range ?? 0..<bytes.count
    offset = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - offset }

  /// The place of the next bytes, behind which the cursor is then.
  mutating func skip(_ count: Int) throws(FormatProblem) -> Range<Int> {
    guard count >= 0, count <= remaining else {
      throw FormatProblem("\(count) bytes are wanted, but only \(remaining) are left", at: offset)
    }
    let range = offset..<offset + count
    offset += count
    return range
  }

  mutating func byte() throws(FormatProblem) -> UInt8 { bytes[try skip(1).lowerBound] }

  /// A little-endian integer.
  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(FormatProblem) -> Value {
    let range = try skip(Value.bitWidth / 8)
    var value: Value = 0
    for byte in bytes[range].reversed() {
      value = (Value.bitWidth > 8 ? value << 8 : 0) | Value(truncatingIfNeeded: byte)
    }
    return value
  }

  /// A length as a little-endian integer, which has to fit what is left.
  mutating func length<Value: FixedWidthInteger>(_ type: Value.Type) throws(FormatProblem) -> Int {
    let start = offset
    let value = try integer(type)
    guard let length = Int(exactly: value), length >= 0, length <= remaining else {
      throw FormatProblem("a length is \(value), but only \(remaining) bytes are left", at: start)
    }
    return length
  }

  /// The place of the bytes up to the end of a line, which is passed over.
  mutating func line() throws(FormatProblem) -> Range<Int> {
    guard let newline = bytes[offset..<end].firstIndex(of: 0x0a) else {
      throw FormatProblem("a line has no end", at: offset)
    }
    defer { offset = newline + 1 }
    return offset..<newline
  }
}
