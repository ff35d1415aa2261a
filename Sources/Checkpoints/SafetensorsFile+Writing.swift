import Failures

extension SafetensorsFile {
  /// Writes the file, whole or not at all. The same tensors and texts give the same bytes.
  ///
  /// - Throws: `.noPermission`, `.cannotCreate` or `.inputOutput` where the file system refuses; `.software` where two
  ///   tensors have one name, or one's values are not as many as its shape says.
  public func write(to path: String) throws(Failure) {
    try checkTensors(for: path)
    let header = SafetensorsHeader(tensors: tensors, metadata: metadata).bytes
    try AtomicFile.write(to: path) { (file) throws(Failure) in
      try file.append(header.span.bytes)
      for tensor in tensors {
        try file.append(tensor.values.span.bytes)
      }
    }
  }

  /// Writes the file with the tensors in fewer bits, whole or not at all.
  ///
  /// - Parameter source: where the tensors are from, for messages.
  /// - Throws: as `write(to:)` does; `.badData` where a value is beyond what the precision holds.
  public func write(to path: String, precision: StoragePrecision, from source: String) throws(Failure) {
    try checkTensors(for: path)
    var stored: [StoredTensor] = []
    for tensor in tensors { stored += try precision.stored(tensor, from: source) }
    // Each at a multiple of its elements' size.
    stored = [4, 2, 1].flatMap { size in stored.filter { $0.type.size == size } }
    let header = SafetensorsHeader(stored: stored, metadata: metadata).bytes
    try AtomicFile.write(to: path) { (file) throws(Failure) in
      try file.append(header.span.bytes)
      for tensor in stored { try file.append(tensor.bytes.span.bytes) }
    }
  }

  private func checkTensors(for path: String) throws(Failure) {
    var names: Set<String> = [SafetensorsHeader.metadataName]
    for tensor in tensors {
      guard names.insert(tensor.name).inserted, Tensor.count(of: tensor.shape) == tensor.values.count,
        tensor.shape.count <= SafetensorsHeader.maximumRank
      else {
        throw Failure(
          .software,
          "\(path): the tensor \"\(printable(tensor.name))\" of shape \(tensor.shape) with \(tensor.values.count) values "
            + "cannot be stored",
          remedy: "this is a defect of dtrain; please report it")
      }
    }
  }
}
