import CZlib
import Checkpoints

/// The files in a zip archive, each checked against its CRC-32.
///
/// Reads what is stored or deflated; not encrypted or split archives, nor sizes of 4 GiB and more. Source: PKWARE's
/// APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZipReader {
  struct Entry {
    let name: String
    let method: UInt16
    let checksum: UInt32
    let size: Int
    /// Where its compressed bytes are.
    let range: Range<Int>
  }

  /// In the order of the archive's directory.
  let entries: [Entry]
  private let bytes: [UInt8]
  private static let endSize = 22
  /// What deflate can make of a byte at most, about.
  private static let largestExpansion = 1032

  init(_ bytes: [UInt8]) throws(FormatProblem) {
    self.bytes = bytes
    let (count, directory) = try Self.directory(of: bytes)
    var cursor = ByteCursor(bytes, in: directory)
    var entries: [Entry] = []
    for _ in 0..<count { entries.append(try Self.entry(&cursor, bytes)) }
    guard cursor.remaining == 0 else {
      throw FormatProblem("its directory has more than the \(count) files of its last record", at: cursor.offset)
    }
    let sorted = entries.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.range.upperBound > second.range.lowerBound {
      throw FormatProblem(
        "\"\(printable(second.name))\" overlaps \"\(printable(first.name))\"", at: second.range.lowerBound)
    }
    self.entries = entries
  }

  /// How many files there are, and where they are listed: the archive's last record says so, behind which may stand a
  /// comment.
  private static func directory(of bytes: [UInt8]) throws(FormatProblem) -> (count: Int, range: Range<Int>) {
    var start = bytes.count - endSize
    let lowest = max(0, start - 65_535)
    // The record ends with its comment's length, so that a file that is cut in the comment is no whole one.
    while start >= lowest, !isEnd(bytes[start...]) { start -= 1 }
    guard start >= lowest else { throw FormatProblem("it has no directory of files", at: nil) }
    var cursor = ByteCursor(bytes, in: start + 4..<bytes.count)
    let (disk, firstDisk) = (try cursor.integer(UInt16.self), try cursor.integer(UInt16.self))
    let (here, total) = (try cursor.integer(UInt16.self), try cursor.integer(UInt16.self))
    let (size, offset) = (Int(try cursor.integer(UInt32.self)), Int(try cursor.integer(UInt32.self)))
    guard disk == 0, firstDisk == 0, here == total else { throw FormatProblem("it is a part of an archive", at: start) }
    guard offset + size <= start else {
      throw FormatProblem("its directory should end at byte \(offset + size), behind its last record", at: start)
    }
    return (Int(total), offset..<offset + size)
  }

  /// Whether the archive's last record stands there, with its comment up to the end.
  private static func isEnd(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.starts(with: [0x50, 0x4b, 5, 6]), bytes.count >= endSize else { return false }
    let length = bytes.startIndex + endSize - 2
    return bytes.count == endSize + Int(bytes[length]) + Int(bytes[length + 1]) << 8
  }

  private static func entry(_ cursor: inout ByteCursor, _ bytes: [UInt8]) throws(FormatProblem) -> Entry {
    let start = cursor.offset
    guard try cursor.integer(UInt32.self) == 0x0201_4b50 else {
      throw FormatProblem("its directory is damaged", at: start)
    }
    _ = try cursor.skip(4)
    let (flags, method) = (try cursor.integer(UInt16.self), try cursor.integer(UInt16.self))
    _ = try cursor.skip(4)
    let checksum = try cursor.integer(UInt32.self)
    let (compressed, size) = (Int(try cursor.integer(UInt32.self)), Int(try cursor.integer(UInt32.self)))
    let lengths = (try cursor.integer(UInt16.self), try cursor.integer(UInt16.self), try cursor.integer(UInt16.self))
    _ = try cursor.skip(8)
    let local = Int(try cursor.integer(UInt32.self))
    let name = String(decoding: bytes[try cursor.skip(Int(lengths.0))], as: UTF8.self)
    _ = try cursor.skip(Int(lengths.1) + Int(lengths.2))
    func problem(_ reason: String) -> FormatProblem {
      FormatProblem("\"\(printable(name))\" \(reason)", at: start)
    }
    guard flags & 1 == 0 else { throw problem("is encrypted") }
    guard method == 0 || method == 8 else {
      throw problem("is compressed by method \(method), and only stored (0) and deflated (8) files are read")
    }
    // The local header has the lengths of its own name and extra field.
    guard local + 30 <= bytes.count, bytes[local...].starts(with: [0x50, 0x4b, 3, 4]) else {
      throw problem("is not where the directory says, at byte \(local)")
    }
    var header = ByteCursor(bytes, in: local + 26..<bytes.count)
    let extra = (Int(try header.integer(UInt16.self)), Int(try header.integer(UInt16.self)))
    let data = header.offset + extra.0 + extra.1
    guard data + compressed <= bytes.count else { throw problem("ends behind the archive") }
    guard method == 8 ? size <= compressed * largestExpansion : size == compressed else {
      throw problem("cannot have \(size) bytes in \(compressed)")
    }
    return Entry(name: name, method: method, checksum: checksum, size: size, range: data..<data + compressed)
  }

  /// The bytes of a file of the archive.
  func contents(of entry: Entry) throws(FormatProblem) -> [UInt8] {
    let start = entry.range.lowerBound
    let content = entry.method == 0 ? Array(bytes[entry.range]) : inflated(entry)
    guard let content else {
      throw FormatProblem("the compressed bytes of \"\(printable(entry.name))\" are damaged", at: start)
    }
    guard content.withUnsafeBufferPointer({ crc32_z(0, $0.baseAddress, $0.count) }) == UInt(entry.checksum) else {
      throw FormatProblem("the checksum of \"\(printable(entry.name))\" does not hold", at: start)
    }
    return content
  }

  /// Nil where the bytes are damaged, or are not of the size that the directory says.
  private func inflated(_ entry: Entry) -> [UInt8]? {
    var stream = z_stream()
    // Negative: without zlib's own header.
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    // One more than there should be, so that a longer content shows.
    var content = [UInt8](repeating: 0, count: entry.size + 1)
    let status = bytes[entry.range].withUnsafeBufferPointer { input in
      content.withUnsafeMutableBufferPointer { output in
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        return inflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END, stream.avail_in == 0, stream.total_out == UInt(entry.size) else { return nil }
    content.removeLast()
    return content
  }
}
