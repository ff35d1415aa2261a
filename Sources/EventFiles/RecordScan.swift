/// Reads as much of a file of events as says which of its records stay.
enum RecordScan {
  /// The bytes of the first records that are whole and belong to what stays of a run.
  ///
  /// - Parameters:
  ///   - step: steps made. What follows the last of them (its test, its histograms) will come again.
  ///   - endsEpoch: whether its gradients stay.
  static func length(of file: [UInt8], keptAfter step: Int, endsEpoch: Bool) -> Int {
    file.withUnsafeBytes { bytes in
      var offset = 0
      while let data = record(in: bytes, at: offset), isKept(data, after: step, endsEpoch) { offset += data.count + 16 }
      return offset
    }
  }

  /// The data of the record that begins there; nil where it is torn or damaged.
  private static func record(in file: UnsafeRawBufferPointer, at offset: Int) -> UnsafeRawBufferPointer? {
    guard file.count - offset >= 16 else { return nil }
    let head = UnsafeRawBufferPointer(rebasing: file[offset..<offset + 8])
    let length = UInt64(littleEndian: head.loadUnaligned(as: UInt64.self))
    func checksum(at place: Int) -> UInt32 {
      UInt32(littleEndian: file.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
    guard length <= UInt64(file.count - offset - 16), checksum(at: offset + 8) == MaskedChecksum.of(head) else {
      return nil
    }
    let data = UnsafeRawBufferPointer(rebasing: file[offset + 12..<offset + 12 + Int(length)])
    return checksum(at: offset + 12 + Int(length)) == MaskedChecksum.of(data) ? data : nil
  }

  private static func isKept(_ event: UnsafeRawBufferPointer, after made: Int, _ endsEpoch: Bool) -> Bool {
    var step = 0
    var tag = ""
    var isStart = false
    for (field, value) in Fields(event) {
      switch (field, value) {
      case (EventField.step, .integer(let number)): step = Int(clamping: number)
      case (EventField.sessionLog, .bytes): isStart = true
      case (EventField.summary, .bytes(let summary)):
        guard case .bytes(let first)? = Fields(summary).first(where: { $0.field == EventField.value })?.value,
          case .bytes(let name)? = Fields(first).first(where: { $0.field == EventField.tag })?.value
        else { break }
        tag = String(decoding: name, as: UTF8.self)
      default: break
      }
    }
    if isStart { return step <= made + 1 }
    return EventTag.followsStep(tag, endsEpoch: endsEpoch) ? step < made : step <= made
  }
}

/// The fields of a message, of which any number may be damaged: it ends at the first that cannot be read.
private struct Fields: Sequence, IteratorProtocol {
  enum Value {
    case integer(UInt64)
    case bytes(UnsafeRawBufferPointer)
    case other
  }

  private var rest: UnsafeRawBufferPointer

  init(_ message: UnsafeRawBufferPointer) { rest = message }

  mutating func next() -> (field: Int, value: Value)? {
    guard let key = integer() else { return nil }
    let field = Int(clamping: key >> 3)
    switch key & 7 {
    case 0: return integer().map { (field, .integer($0)) }
    case 1: return take(8).map { _ in (field, .other) }
    case 2: return integer().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { (field, .bytes($0)) }
    case 5: return take(4).map { _ in (field, .other) }
    default: return nil
    }
  }

  private mutating func integer() -> UInt64? {
    var value: UInt64 = 0
    for place in 0..<10 {
      guard let byte = rest.first else { return nil }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
      value |= UInt64(byte & 0x7f) << (7 * UInt64(place))
      if byte < 0x80 { return value }
    }
    return nil
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count <= rest.count else { return nil }
    defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count)) }
    return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
  }
}
