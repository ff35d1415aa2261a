#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where a record stands in a run.
struct RecordPosition: Equatable {
  var step: Int
  /// Whether it is of a step itself, and not of what follows the step.
  var isOfStep: Bool

  /// Whether a run that goes on after some steps leaves it as it is. What follows the last of them will come again.
  func isKept(after made: Int) -> Bool { isOfStep ? step <= made : step < made }
}

/// The records that a file of metrics has already.
enum MetricsRecords {
  /// Cuts a file off behind its heading and the records of a run's first steps, at the first line that is none of them.
  ///
  /// - Parameter position: of a whole line, with its end; nil for one that is no record.
  /// - Returns: the system's number of what went wrong; nil where nothing did.
  static func cut(
    _ descriptor: Int32, after step: Int, heading: String, position: ([UInt8]) -> RecordPosition?
  ) -> Int32? {
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
        if length > 0 || heading.isEmpty {
          guard position(line)?.isKept(after: step) == true else { break scan }
        } else {
          guard line.elementsEqual(heading.utf8) else { break scan }
        }
        length += off_t(line.count)
        line.removeAll(keepingCapacity: true)
      }
    }
    while ftruncate(descriptor, length) != 0 {
      guard errno == EINTR else { return errno }
    }
    return nil
  }

  /// Of a line of `metrics.jsonl`.
  static func position(inJSON line: [UInt8]) -> RecordPosition? {
    guard line.suffix(2).elementsEqual("}\n".utf8) else { return nil }
    if let step = number(in: line, behind: #"{"kind":"step","step":"#) {
      return RecordPosition(step: step, isOfStep: true)
    }
    for start in ["test", "validation", "ranks"].map({ "{\"kind\":\"\($0)\",\"step\":" }) {
      if let step = number(in: line, behind: start) { return RecordPosition(step: step, isOfStep: false) }
    }
    return nil
  }

  private static func number(in line: [UInt8], behind start: String) -> Int? {
    guard line.starts(with: start.utf8) else { return nil }
    let digits = line.dropFirst(start.utf8.count).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
