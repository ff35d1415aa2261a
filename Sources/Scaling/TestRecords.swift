import Checkpoints

/// The tests in the metrics of a run that may still go on, as they come.
struct TestRecords {
  /// One test, or one of the validation samples where some are held back.
  struct Record: Equatable {
    var epoch = 0
    var accuracy = Double.nan
    /// Since the job began to train.
    var seconds = Double.nan
  }

  /// `metrics.jsonl` of the run, which need not be there yet.
  let path: String
  private var linesTaken = 0

  private static let largest = 1 << 26

  init(path: String) { self.path = path }

  /// Those of whole lines that were not there the last time. A line that is no record is passed over.
  mutating func next() -> [Record] {
    guard let bytes = try? SmallFile.read(path, upTo: Self.largest),
      let end = bytes.lastIndex(of: UInt8(ascii: "\n"))
    else { return [] }
    let lines = bytes[..<end].split(separator: UInt8(ascii: "\n"))
    defer { linesTaken = lines.count }
    return lines.dropFirst(linesTaken).compactMap(Self.record)
  }

  private static func record(_ line: ArraySlice<UInt8>) -> Record? {
    guard line.starts(with: #"{"kind":"test""#.utf8) || line.starts(with: #"{"kind":"validation""#.utf8) else {
      return nil
    }
    var record = Record()
    var scanner = JSONScanner(Array(line))
    do throws(JSONProblem) {
      try scanner.object { (name, scanner) throws(JSONProblem) in
        switch name {
        case "epoch": record.epoch = try scanner.unsignedInteger()
        case "seconds": record.seconds = try scanner.number()
        case "test_accuracy", "validation_accuracy": record.accuracy = try scanner.number()
        default: try scanner.skipValue()
        }
      }
    } catch { return nil }
    return record
  }
}
