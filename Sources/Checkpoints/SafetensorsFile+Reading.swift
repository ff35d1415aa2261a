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
    var tensors: [Tensor] = []
    for entry in header.entries {
      let values = try file.read(
        entry.range.count / SafetensorsHeader.elementSize, of: Float.self, at: dataStart + entry.range.lowerBound)
      tensors.append(Tensor(name: entry.name, shape: entry.shape, values: values))
    }
    return (
      SafetensorsFile(tensors: tensors, metadata: header.metadata),
      withUnsafeBytes(of: length.littleEndian, Array.init) + bytes
    )
  }

  static func damaged(_ path: String, _ reason: String) -> Failure {
    Failure(
      .badData, "\(path): not a good safetensors file: \(reason)",
      remedy: "the file is damaged or of another kind; take another copy of it")
  }
}
