import ProtocolBuffers
import Testing

@Suite struct ProtocolBufferTests {
  /// The examples of https://protobuf.dev/programming-guides/encoding.
  @Test func fieldsAsTheSpecificationHasThem() {
    var message = ProtocolBuffer()
    message.integer(1, 150)
    #expect(message.bytes == [0x08, 0x96, 0x01])
    message.clear()
    message.text(2, "testing")
    #expect(message.bytes == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67])
    message.clear()
    message.message(3) { $0.integer(1, 150) }
    #expect(message.bytes == [0x1a, 0x03, 0x08, 0x96, 0x01])
    message.clear()
    message.integers(6, [3, 270, 86942])
    #expect(message.bytes == [0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05])
    message.clear()
    message.integer(1, -2)
    #expect(message.bytes == [0x08, 0xfe] + Array(repeating: 0xff, count: 8) + [0x01])
    message.clear()
    message.double(1, 1)
    message.float(2, -2)
    #expect(message.bytes == [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x15, 0, 0, 0, 0xc0])
  }

  /// The length of a message goes before it, in as many bytes as it takes.
  @Test(arguments: [0, 1, 127, 128, 300, 16383, 16384, 100_000]) func lengthsOfEverySize(_ count: Int) {
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var whole = ProtocolBuffer()
    whole.text(1, "before")
    whole.message(2) { outer in
      outer.integer(1, 5)
      outer.message(3) { inner in inner.data(4, content) }
    }
    var inner = ProtocolBuffer()
    inner.data(4, content)
    var outer = ProtocolBuffer()
    outer.integer(1, 5)
    outer.data(3, inner.bytes)
    var expected = ProtocolBuffer()
    expected.text(1, "before")
    expected.data(2, outer.bytes)
    #expect(whole.bytes == expected.bytes)
  }
}
