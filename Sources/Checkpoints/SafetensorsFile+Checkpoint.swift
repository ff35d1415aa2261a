import Digests
import Failures

/// What a checkpoint's file has besides weights.
extension SafetensorsFile {
  /// Reads weights from a file of them or from a checkpoint, whose moments are left out.
  ///
  /// - Throws: as `init(reading:)` does; `.badData` also where a checkpoint's checksum does not hold.
  public init(weightsIn path: String) throws(Failure) {
    let (file, header) = try Self.read(path)
    guard !file.isCheckpoint || file.isUnaltered(header: header) else {
      throw Self.damaged(path, "its checksum does not hold")
    }
    self = file.withoutMoments
  }

  /// Whether the file says that it is one.
  var isCheckpoint: Bool { metadata[Checkpoint.Key.format] != nil }

  /// The weights alone where this is a checkpoint.
  var withoutMoments: SafetensorsFile {
    guard isCheckpoint else { return self }
    let weights = tensors.filter {
      !$0.name.hasSuffix(Checkpoint.firstMomentSuffix) && !$0.name.hasSuffix(Checkpoint.secondMomentSuffix)
    }
    return SafetensorsFile(tensors: weights, metadata: metadata)
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
