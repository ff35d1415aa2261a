/// A message of Google's protocol buffers, written field by field.
///
/// Source: https://protobuf.dev/programming-guides/encoding.
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func integer(_ field: Int, _ value: Int) {
    variable(UInt64(field << 3))
    variable(UInt64(bitPattern: Int64(value)))
  }

  mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  mutating func data(_ field: Int, _ value: [UInt8]) {
    variable(UInt64(field << 3 | 2))
    variable(UInt64(value.count))
    bytes += value
  }

  mutating func message(_ field: Int, _ content: (inout ProtocolBuffer) -> Void) {
    var message = ProtocolBuffer()
    content(&message)
    data(field, message.bytes)
  }

  /// Several integers in one field.
  mutating func integers(_ field: Int, _ values: [Int]) {
    var packed = ProtocolBuffer()
    for value in values { packed.variable(UInt64(bitPattern: Int64(value))) }
    data(field, packed.bytes)
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
