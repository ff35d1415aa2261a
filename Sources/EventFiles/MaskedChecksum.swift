/// The checksum of TFRecord files: CRC-32C, turned and moved so that a checksum of bytes that hold checksums tells
/// something too.
///
/// Sources: RFC 3720, appendix B.4 (the polynomial of Castagnoli); tensorflow/core/lib/hash/crc32c.h (the mask).
enum MaskedChecksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }

  static func crc32c(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~UInt32(0)) { value, byte in table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
    }
  }

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let value = crc32c(bytes)
    return (value >> 15 | value << 17) &+ 0xa282_ead8
  }
}
