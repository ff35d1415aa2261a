/// A message of Google's protocol buffers, written field by field.
///
/// Source: https://protobuf.dev/programming-guides/encoding.
public struct ProtocolBuffer: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// Makes room, so that a message of this size asks for no memory.
  public mutating func reserve(_ byteCount: Int) { bytes.reserveCapacity(byteCount) }

  /// Forgets the message and keeps the room.
  public mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { bytes.withUnsafeBytes(body) }

  public mutating func integer(_ field: Int, _ value: Int) {
    variable(UInt64(field << 3))
    variable(UInt64(bitPattern: Int64(value)))
  }

  public mutating func double(_ field: Int, _ value: Double) {
    variable(UInt64(field << 3 | 1))
    packed(value)
  }

  public mutating func float(_ field: Int, _ value: Float) {
    variable(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  /// Allocates nothing.
  public mutating func text(_ field: Int, _ value: StaticString) {
    variable(UInt64(field << 3 | 2))
    value.withUTF8Buffer { text in
      variable(UInt64(text.count))
      bytes.append(contentsOf: text)
    }
  }

  public mutating func data(_ field: Int, _ value: [UInt8]) {
    variable(UInt64(field << 3 | 2))
    variable(UInt64(value.count))
    bytes += value
  }

  /// A message within the message. Allocates nothing but what its content does.
  public mutating func message(_ field: Int, _ content: (inout ProtocolBuffer) -> Void) {
    variable(UInt64(field << 3 | 2))
    let start = bytes.count
    content(&self)
    // The length, whose own length depends on it, goes before the content.
    let end = bytes.count
    variable(UInt64(end - start))
    let lengthCount = bytes.count - end
    bytes.withUnsafeMutableBufferPointer { bytes in
      bytes[start...].reverse()
      bytes[start..<start + lengthCount].reverse()
      bytes[(start + lengthCount)...].reverse()
    }
  }

  /// Several integers in one field.
  public mutating func integers(_ field: Int, _ values: [Int]) {
    var packed = ProtocolBuffer()
    for value in values { packed.variable(UInt64(bitPattern: Int64(value))) }
    data(field, packed.bytes)
  }

  /// A number of a field that holds several of them: what `message` has as its content there.
  public mutating func packed(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Seven bits a byte, the lowest first.
  private mutating func variable(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
