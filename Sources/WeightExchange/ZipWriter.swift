import CZlib

/// Writes a zip archive of stored files. The same files give the same bytes: each is dated 1 January 1980.
struct ZipWriter {
  private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt16 = 0

  /// - Parameters:
  ///   - name: in ASCII.
  ///   - content: less than 4 GiB, as the whole archive has to be.
  mutating func add(_ name: String, _ content: [UInt8]) {
    let checksum = content.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) }
    // Version 2.0, no flags, stored, time 0, date 1980-01-01, checksum, both sizes, length of the name, no extra field.
    let header =
      littleEndian(UInt16(20)) + littleEndian(UInt16(0)) + littleEndian(UInt16(0)) + littleEndian(UInt16(0))
      + littleEndian(UInt16(0x21)) + littleEndian(UInt32(checksum)) + littleEndian(UInt32(content.count))
      + littleEndian(UInt32(content.count)) + littleEndian(UInt16(name.utf8.count)) + littleEndian(UInt16(0))
    // No comment, disk 0, no attributes.
    directory += [0x50, 0x4b, 1, 2] + littleEndian(UInt16(20)) + header + [UInt8](repeating: 0, count: 10)
    directory += littleEndian(UInt32(bytes.count)) + Array(name.utf8)
    bytes += [0x50, 0x4b, 3, 4] + header + Array(name.utf8)
    bytes += content
    count += 1
  }

  /// The archive, its directory included.
  func finished() -> [UInt8] {
    var end: [UInt8] = [0x50, 0x4b, 5, 6, 0, 0, 0, 0] + littleEndian(count) + littleEndian(count)
    end += littleEndian(UInt32(directory.count)) + littleEndian(UInt32(bytes.count)) + [0, 0]
    return bytes + directory + end
  }
}
