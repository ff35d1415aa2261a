import Digests
import Failures

/// What a checkpoint's file has besides weights.
extension SafetensorsFile {
  /// Reads weights from a file of them or from a checkpoint: those that its run evaluated, which are the moving average
  /// of the weights where the run kept one.
  ///
  /// - Throws: as `init(reading:)` does; `.badData` also where a checkpoint's checksum does not hold.
  public init(weightsIn path: String) throws(Failure) {
    let (file, header) = try Self.read(path)
    guard !file.isCheckpoint || file.isUnaltered(header: header) else {
      throw Self.damaged(path, "its checksum does not hold")
    }
    self = file.evaluatedWeights
  }

  /// Whether the file says that it is one.
  var isCheckpoint: Bool { metadata[Checkpoint.Key.format] != nil }

  /// The weights alone where this is a checkpoint: those that the next step begins with.
  var rawWeights: SafetensorsFile {
    guard isCheckpoint else { return self }
    return SafetensorsFile(tensors: tensors.filter { Self.stateName(of: $0) == nil }, metadata: metadata)
  }

  /// The average of the weights where this is a checkpoint that has one, else the weights.
  var evaluatedWeights: SafetensorsFile {
    guard isCheckpoint, stateNames.contains(Checkpoint.State.averageName) else { return rawWeights }
    return SafetensorsFile(tensors: tensors(ofState: Checkpoint.State.averageName), metadata: metadata)
  }

  /// Of a checkpoint, what it keeps beside the weights.
  var stateNames: Set<String> { Set(tensors.compactMap(Self.stateName)) }

  /// The tensors of a state, under the names of their weights.
  func tensors(ofState name: String) -> [Tensor] {
    tensors.filter { Self.stateName(of: $0) == name }
      .map { Tensor(name: String($0.name.dropLast(name.count + 1)), shape: $0.shape, values: $0.values) }
  }

  /// What follows the last dot of a tensor's name.
  private static func stateName(of tensor: Tensor) -> String? {
    tensor.name.lastIndex(of: ".").map { String(tensor.name[tensor.name.index(after: $0)...]) }
  }

  var withChecksum: SafetensorsFile {
    var metadata = metadata
    metadata[Checkpoint.Key.checksum] = checksum.hexadecimal
    return SafetensorsFile(tensors: tensors, metadata: metadata)
  }

  /// Whether the file has the checksum that it states, and the header that these tensors and texts are written with.
  ///
  /// - Parameter header: as it was read; another form of the same JSON is an alteration too.
  func isUnaltered(header: [UInt8]) -> Bool {
    metadata[Checkpoint.Key.checksum] == checksum.hexadecimal
      && SafetensorsHeader(tensors: tensors, metadata: metadata).bytes == header
  }

  private var checksum: Digest {
    var blank = metadata
    blank[Checkpoint.Key.checksum] = String(repeating: "0", count: 2 * Digest.byteCount)
    var hash = SHA256()
    SafetensorsHeader(tensors: tensors, metadata: blank).bytes.withUnsafeBytes { hash.update($0) }
    for tensor in tensors { tensor.values.withUnsafeBytes { hash.update($0) } }
    return hash.finalize()
  }
}
