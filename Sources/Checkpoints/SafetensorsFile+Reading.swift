import Failures

extension SafetensorsFile {
  /// Reads a file, and refuses it whole where anything in it is not as the format says.
  ///
  /// Takes memory in proportion to the file's size only, whatever the file says.
  ///
  /// - Throws: `.noInput`, `.noPermission`, `.inputOutput`, or `.badData` with what is wrong and at which byte.
  public init(reading path: String) throws(Failure) {
    self = try Self.read(path).file
  }

  /// - Returns: besides the file's content its first bytes as they are, up to the data.
  static func read(_ path: String) throws(Failure) -> (file: SafetensorsFile, header: [UInt8]) {
    let file = try InputFile(path)
    guard file.size >= 8 else {
      throw damaged(path, "it has \(file.size) bytes, too few for the length of a header")
    }
    let length = UInt64(littleEndian: try file.read(1, of: UInt64.self, at: 0)[0])
    guard length <= UInt64(file.size - 8) else {
      throw damaged(path, "its header should have \(length) bytes, but only \(file.size - 8) follow")
    }
    guard length <= SafetensorsHeader.maximumSize else {
      throw damaged(path, "its header has \(length) bytes, more than the \(SafetensorsHeader.maximumSize) allowed")
    }
    let dataStart = 8 + Int(length)
    let bytes = try file.read(Int(length), of: UInt8.self, at: 8)
    let header: SafetensorsHeader
    do {
      header = try SafetensorsHeader(parsing: bytes, dataSize: file.size - dataStart)
    } catch {
      let place = error.offset.map { "byte \(8 + $0): " } ?? ""
      throw damaged(path, place + error.reason)
    }
    var stored: [StoredTensor] = []
    for entry in header.entries {
      let bytes = try file.read(entry.range.count, of: UInt8.self, at: dataStart + entry.range.lowerBound)
      stored.append(StoredTensor(name: entry.name, shape: entry.shape, type: entry.type, bytes: bytes))
    }
    return (
      SafetensorsFile(tensors: try tensors(of: stored, path), metadata: header.metadata),
      withUnsafeBytes(of: length.littleEndian, Array.init) + bytes
    )
  }

  /// What is stored, as float32; int8 tensors with the scales beside them.
  private static func tensors(of stored: [StoredTensor], _ path: String) throws(Failure) -> [Tensor] {
    let byName = Dictionary(stored.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var scales: Set<String> = []
    var tensors: [Tensor] = []
    for tensor in stored where tensor.type == .int8 {
      let name = tensor.name + StoredTensor.scaleSuffix
      guard let scale = byName[name], scale.type == .float32, let count = tensor.scaleCount, scale.shape == [count]
      else {
        throw damaged(
          path, "the int8 tensor \"\(printable(tensor.name))\" has no scales \"\(printable(name))\", one an output")
      }
      scales.insert(name)
      tensors.append(Tensor(name: tensor.name, shape: tensor.shape, values: tensor.values(scales: scale.floats)))
    }
    for tensor in stored where tensor.type != .int8 && !scales.contains(tensor.name) {
      tensors.append(Tensor(name: tensor.name, shape: tensor.shape, values: tensor.floats))
    }
    return tensors
  }

  static func damaged(_ path: String, _ reason: String) -> Failure {
    Failure(
      .badData, "\(path): not a good safetensors file: \(reason)",
      remedy: "the file is damaged or of another kind; take another copy of it")
  }
}
