import CZlib
import Failures

/// An idx file in memory: its header, and its elements as bytes.
///
/// A plain file is mapped as it lies. A compressed one is decompressed once a node into a cache that all processes
/// map, or privately where it is small or nothing can be cached.
struct IDXFile {
  /// Where the content of a compressed file goes.
  enum Placement {
    case cache(DecompressedCache)
    case privateMemory
  }

  let path: String
  let header: IDXHeader
  private let content: MappedBytes
  /// Whether this process has a copy of its own though it should have shared one.
  let isPrivateForLackOfCache: Bool

  /// - Throws: `Failure` with `.noInput`, `.noPermission`, `.badData` or what the system says; its cause names the
  ///   file and the byte.
  init(_ path: String, role: IDXRole, placement: Placement) throws(Failure) {
    self.path = path
    let file = try OpenFile(reading: path)
    let start = try file.bytes(at: 0, count: 2)
    if start == GzipReader.magic {
      (header, content, isPrivateForLackOfCache) = try Self.decompress(GzipReader(file), role, placement)
      return
    }
    let first = try file.bytes(at: 0, count: IDXHeader.maximumByteCount)
    if path.hasSuffix(".gz") && !first.isEmpty && first[0] != 0 {
      let shown = first.prefix(2).map { hexadecimal(UInt64($0), digits: 2) }.joined(separator: " ")
      throw IDXHeader.bad("\(path) is not a gzip file: it begins with the bytes \(shown), not with 1f 8b")
    }
    header = try Self.header(first, role, path)
    guard file.size >= header.fileByteCount else {
      throw IDXHeader.bad(
        "\(path) is truncated: it ends after byte \(file.size) of the \(header.fileByteCount) that its header "
          + "(\(header.shape)) announces")
    }
    guard file.size == header.fileByteCount else { throw Self.trailing(path, header) }
    guard let mapped = MappedBytes(file: file.descriptor, count: file.size) else {
      throw Failure(.osError, "\(path) cannot be mapped into memory", remedy: "check the limits on memory (ulimit -v)")
    }
    content = mapped
    isPrivateForLackOfCache = false
  }

  /// The elements, in the file's order. Valid as long as `self` or ``owner`` lives.
  var elements: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: content.bytes[header.byteCount..<header.fileByteCount])
  }
  /// What keeps the elements in memory.
  var owner: AnyObject & Sendable { content }

  private static func header(_ bytes: [UInt8], _ role: IDXRole, _ path: String) throws(Failure) -> IDXHeader {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return try IDXHeader(UnsafeRawBufferPointer(copy), role: role, path: path)
  }

  private static func decompress(
    _ reader: GzipReader, _ role: IDXRole, _ placement: Placement
  ) throws(Failure) -> (IDXHeader, MappedBytes, isPrivateForLackOfCache: Bool) {
    let path = reader.file.path
    var fingerprint: GzipFingerprint?
    if case .cache(let cache) = placement {
      let found = try reader.fingerprint()
      if let cached = cache.entry(for: found) {
        let header = try IDXHeader(cached.bytes, role: role, path: path)
        if header.fileByteCount + CacheSeal.byteCount == cached.count { return (header, cached, false) }
      }
      fingerprint = found
    }

    let header = try Self.header(reader.firstBytes(IDXHeader.maximumByteCount), role, path)
    let length = header.fileByteCount
    // Before any room is made for what the header announces: the file has to be large enough to hold it.
    guard (length - IDXHeader.maximumByteCount) / GzipReader.maximumExpansion <= reader.file.size else {
      throw IDXHeader.bad(
        "\(path) announces absurd dimensions, \(header.shape): \(length) bytes cannot come from \(reader.file.size) "
          + "compressed ones")
    }
    if case .cache(let cache) = placement, let fingerprint,
      let cached = try cache.build(fingerprint, from: reader, header: header)
    {
      return (header, cached, false)
    }

    guard let pages = MappedBytes.privatePages(length) else {
      throw Failure(.osError, "no memory for the \(length) bytes of \(path)", remedy: "free some memory")
    }
    let content = MappedBytes(pages)
    reader.restart()
    try reader.readWhole(header, into: pages)
    content.protect()
    return (header, content, fingerprint != nil)
  }

  static func trailing(_ path: String, _ header: IDXHeader) -> Failure {
    IDXHeader.bad(
      "\(path) has bytes after its last element: its header (\(header.shape)) announces "
        + "\(header.fileByteCount) bytes and more follow")
  }
}

extension GzipReader {
  /// The first bytes of the content, fewer where it is shorter.
  fileprivate func firstBytes(_ count: Int) throws(Failure) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    restart()
    let got = try read(into: buffer)
    return Array(buffer.prefix(got))
  }

  /// Decompresses the next part of a file with this header, and checks that nothing is missing.
  func readPart(_ header: IDXHeader, from offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
    let got = try read(into: buffer, expected: header.fileByteCount)
    guard got == buffer.count else {
      throw IDXHeader.bad(
        "\(file.path) is truncated: it ends after decompressed byte \(offset + got) of the \(header.fileByteCount) "
          + "that its header (\(header.shape)) announces")
    }
  }

  /// Checks that the content ends here. Only then has zlib compared its checksum.
  func expectEnd(_ header: IDXHeader) throws(Failure) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { buffer.deallocate() }
    guard try read(into: buffer, expected: header.fileByteCount) == 0 else {
      throw IDXFile.trailing(file.path, header)
    }
  }

  fileprivate func readWhole(_ header: IDXHeader, into pages: UnsafeMutableRawBufferPointer) throws(Failure) {
    try readPart(header, from: 0, into: pages)
    try expectEnd(header)
  }
}
