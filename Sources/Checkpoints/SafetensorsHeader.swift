/// The JSON header of a safetensors file: which tensors lie where in the data behind it.
///
/// Source: the format's description, https://github.com/huggingface/safetensors#format.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let shape: [Int]
    let type: StoredTensor.ElementType
    /// In bytes from the start of the data. As long as the shape asks for.
    let range: Range<Int>
  }

  /// The format's own limit, in bytes.
  static let maximumSize = 100_000_000
  /// More dimensions than any network has.
  static let maximumRank = 8
  static let metadataName = "__metadata__"

  var metadata: [String: String] = [:]
  /// In the order of their data, which they cover without overlap or gap.
  var entries: [Entry] = []
}

// MARK: - Reading

extension SafetensorsHeader {
  /// - Parameters:
  ///   - bytes: the header, padding included.
  ///   - dataSize: the number of bytes behind it.
  init(parsing bytes: [UInt8], dataSize: Int) throws(JSONProblem) {
    var scanner = JSONScanner(bytes)
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    try scanner.object { (name, scanner) throws(JSONProblem) in
      if name == Self.metadataName {
        try scanner.object { (key, scanner) throws(JSONProblem) in metadata[key] = try scanner.string() }
      } else {
        entries.append(try Self.entry(named: name, from: &scanner, dataSize: dataSize))
      }
    }
    try scanner.end()
    self.metadata = metadata
    self.entries = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try checkCover(of: dataSize)
  }

  private static func entry(
    named name: String, from scanner: inout JSONScanner, dataSize: Int
  ) throws(JSONProblem) -> Entry {
    scanner.skipBlanks()
    let start = scanner.offset
    func problem(_ reason: String) -> JSONProblem {
      JSONProblem(reason: "tensor \"\(printable(name))\": \(reason)", offset: start)
    }
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { (field, scanner) throws(JSONProblem) in
      switch field {
      case "dtype": type = try scanner.string()
      case "shape": shape = try integers(from: &scanner, atMost: maximumRank)
      case "data_offsets": offsets = try integers(from: &scanner, atMost: 2)
      default: throw problem("the field \"\(printable(field))\" is unknown")
      }
    }
    guard let type, let shape, let offsets else { throw problem("dtype, shape or data_offsets is missing") }
    guard let element = StoredTensor.ElementType(rawValue: type) else {
      let known = StoredTensor.ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw problem("its type is \"\(printable(type))\", and only \(known) are read")
    }
    guard let size = Tensor.count(of: shape)?.multipliedReportingOverflow(by: element.size), !size.overflow else {
      throw problem("its shape \(shape) is too large")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else { throw problem("data_offsets are no range") }
    guard offsets[1] <= dataSize else {
      throw problem("its data end at byte \(offsets[1]) of \(dataSize) that there are")
    }
    guard offsets[1] - offsets[0] == size.partialValue else {
      throw problem("its shape \(shape) takes \(size.partialValue) bytes, but it has \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, shape: shape, type: element, range: offsets[0]..<offsets[1])
  }

  private static func integers(
    from scanner: inout JSONScanner, atMost limit: Int
  ) throws(JSONProblem) -> [Int] {
    var values: [Int] = []
    try scanner.array { (scanner) throws(JSONProblem) in
      guard values.count < limit else {
        throw JSONProblem(reason: "a list has more than \(limit) elements", offset: scanner.offset)
      }
      values.append(try scanner.unsignedInteger())
    }
    return values
  }

  private func checkCover(of dataSize: Int) throws(JSONProblem) {
    var covered = 0
    var previous = "the start"
    for entry in entries {
      let name = "tensor \"\(printable(entry.name))\""
      guard entry.range.lowerBound >= covered else {
        throw JSONProblem(reason: "the data of \(name) overlap those of \(previous)", offset: nil)
      }
      guard entry.range.lowerBound == covered else {
        throw JSONProblem(
          reason: "between \(previous) and \(name) lie \(entry.range.lowerBound - covered) bytes of no tensor",
          offset: nil)
      }
      covered = entry.range.upperBound
      previous = name
    }
    guard covered == dataSize else {
      throw JSONProblem(reason: "behind \(previous) lie \(dataSize - covered) bytes of no tensor", offset: nil)
    }
  }
}

// MARK: - Writing

extension SafetensorsHeader {
  /// The header of tensors that lie one behind the other in this order, as float32.
  init(tensors: [Tensor], metadata: [String: String]) {
    self.init(metadata: metadata)
    for tensor in tensors {
      append(tensor.name, tensor.shape, .float32, size: tensor.values.count * StoredTensor.ElementType.float32.size)
    }
  }

  /// The header of tensors that lie one behind the other in this order.
  init(stored: [StoredTensor], metadata: [String: String]) {
    self.init(metadata: metadata)
    for tensor in stored { append(tensor.name, tensor.shape, tensor.type, size: tensor.bytes.count) }
  }

  private mutating func append(_ name: String, _ shape: [Int], _ type: StoredTensor.ElementType, size: Int) {
    let start = entries.last?.range.upperBound ?? 0
    entries.append(Entry(name: name, shape: shape, type: type, range: start..<start + size))
  }

  /// The length and the JSON, always the same for the same content, padded so that the data begin at a multiple of 8.
  var bytes: [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(jsonString($0.key)):\(jsonString($0.value))" }
      members.append("\(jsonString(Self.metadataName)):{\(pairs.joined(separator: ","))}")
    }
    for entry in entries {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(jsonString(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(entry.range.lowerBound),\(entry.range.upperBound)]}")
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }
}
