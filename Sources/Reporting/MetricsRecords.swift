#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The records that a file of metrics has already.
enum MetricsRecords {
  /// Cuts a file off behind the records of a run's first steps, at the first line that is none of them.
  ///
  /// - Returns: the system's number of what went wrong; nil where nothing did.
  static func cut(_ descriptor: Int32, after step: Int) -> Int32? {
    var length: off_t = 0
    var line: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    var offset: off_t = 0
    scan: while true {
      let count = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return errno }
      guard count > 0 else { break }
      offset += off_t(count)
      for byte in block[..<count] {
        line.append(byte)
        guard byte == UInt8(ascii: "\n") else { continue }
        guard isKept(line, after: step) else { break scan }
        length += off_t(line.count)
        line.removeAll(keepingCapacity: true)
      }
    }
    while ftruncate(descriptor, length) != 0 {
      guard errno == EINTR else { return errno }
    }
    return nil
  }

  private static func isKept(_ line: [UInt8], after step: Int) -> Bool {
    if let number = number(in: line, behind: #"{"kind":"step","step":"#) { return number <= step }
    for kind in ["test", "validation"] {
      if let number = number(in: line, behind: "{\"kind\":\"\(kind)\",\"step\":") { return number < step }
    }
    return false
  }

  private static func number(in line: [UInt8], behind start: String) -> Int? {
    guard line.starts(with: start.utf8), line.suffix(2).elementsEqual("}\n".utf8) else { return nil }
    let digits = line.dropFirst(start.utf8.count).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
