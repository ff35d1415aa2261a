import CZlib
import Failures

/// What tells one compressed file's content from another's without decompressing it.
struct GzipFingerprint: Equatable {
  /// Of the compressed bytes.
  let size: UInt64
  let checksum: UInt32
  /// The last eight bytes: what gzip itself says of the content, its CRC-32 and its length modulo 2^32.
  let trailer: UInt64
}

/// Decompresses a gzip file piece by piece (RFC 1952; several members one after the other are one content).
final class GzipReader {
  static let magic: [UInt8] = [0x1F, 0x8B]
  /// No deflate stream grows by more than this factor (zlib, "Technical details").
  static let maximumExpansion = 1032

  let file: OpenFile
  private let stream: UnsafeMutablePointer<z_stream>
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
  /// Where in the file the next piece of input begins.
  private var inputOffset = 0
  private var ended = false
  private var produced = 0

  init(_ file: consuming OpenFile) throws(Failure) {
    self.file = file
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 16 asks for gzip's header and trailer, 15 for the largest window.
    let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw Failure(.unavailable, "zlib cannot be started (its code \(status))", remedy: "free some memory")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Reads the whole compressed file once.
  func fingerprint() throws(Failure) -> GzipFingerprint {
    var checksum: UInt = 0
    var offset = 0
    while true {
      let got = try file.read(at: offset, into: input)
      checksum = crc32_z(checksum, input.baseAddress?.assumingMemoryBound(to: UInt8.self), got)
      offset += got
      if got < input.count { break }
    }
    let trailer = try file.bytes(at: max(0, offset - 8), count: 8)
    restart()
    return GzipFingerprint(
      size: UInt64(offset), checksum: UInt32(checksum), trailer: trailer.reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// Goes back to the first byte of the content.
  func restart() {
    inflateReset(stream)
    stream.pointee.avail_in = 0
    inputOffset = 0
    ended = false
    produced = 0
  }

  /// Decompresses until the buffer is full or the content ends, and returns the number of bytes.
  ///
  /// - Parameter expected: the length of the whole content, if it is known, for the message of an error.
  /// - Throws: `.badData` where the file is truncated or corrupt or something follows the gzip stream.
  func read(into buffer: UnsafeMutableRawBufferPointer, expected: Int? = nil) throws(Failure) -> Int {
    var filled = 0
    while filled < buffer.count && !ended {
      if stream.pointee.avail_in == 0 {
        let got = try file.read(at: inputOffset, into: input)
        guard got > 0 else { throw truncated(after: produced + filled, expected: expected) }
        inputOffset += got
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(got)
      }
      let room = min(buffer.count - filled, 1 << 30)
      stream.pointee.next_out = buffer.baseAddress?.advanced(by: filled).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      filled += room - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: try beginNextMember()
      case Z_MEM_ERROR: throw Failure(.osError, "zlib is out of memory on \(file.path)", remedy: "free some memory")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)"
        throw IDXHeader.bad(
          "\(file.path) is corrupt: zlib says \"\(reason)\" before byte \(consumed) of the file")
      }
    }
    produced += filled
    return filled
  }

  /// Compressed bytes that have been taken.
  private var consumed: Int { inputOffset - Int(stream.pointee.avail_in) }

  private func beginNextMember() throws(Failure) {
    let next = try file.bytes(at: consumed, count: 2)
    if next.isEmpty {
      ended = true
    } else if next == Self.magic {
      inflateReset(stream)
    } else {
      throw IDXHeader.bad("\(file.path) has bytes after the end of its gzip stream, from byte \(consumed) on")
    }
  }

  private func truncated(after count: Int, expected: Int?) -> Failure {
    let whole = expected.map { " of \($0)" } ?? ""
    return IDXHeader.bad(
      "\(file.path) is truncated: its gzip stream breaks off at byte \(inputOffset) of the file, "
        + "after \(count)\(whole) decompressed bytes")
  }
}
