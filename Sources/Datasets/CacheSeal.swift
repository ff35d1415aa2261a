import CZlib

/// What makes an entry of the cache recognisable: its name, and a footer behind the content.
///
/// The footer is 48 bytes, six little-endian numbers of 64 bits: a constant, the compressed file's size, checksum and
/// trailer (which the name repeats), the content's length and its CRC-32. A torn or altered entry does not match it.
struct CacheSeal {
  let source: GzipFingerprint

  static let byteCount = 48
  /// "dtrain-1".
  private static let magic: UInt64 = 0x312D_6E69_6172_7464

  var entryName: String {
    hexadecimal(UInt64(source.checksum), digits: 8) + "-" + hexadecimal(source.trailer, digits: 16)
      + "-\(source.size).idx"
  }

  func footer(length: Int, checksum: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    for number in numbers(length: length, checksum: checksum) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// Whether these are a content and its footer, for this source. Reads all of them.
  func isValid(for entry: UnsafeRawBufferPointer) -> Bool {
    let length = entry.count - Self.byteCount
    guard length > 0 else { return false }
    let checksum = crc32_z(0, entry.baseAddress?.assumingMemoryBound(to: UInt8.self), length)
    return entry[length...].elementsEqual(footer(length: length, checksum: UInt32(checksum)))
  }

  private func numbers(length: Int, checksum: UInt32) -> [UInt64] {
    [Self.magic, source.size, UInt64(source.checksum), source.trailer, UInt64(length), UInt64(checksum)]
  }
}
