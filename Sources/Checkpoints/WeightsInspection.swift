import Digests
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What there is to know of a file of weights.
public struct WeightsInspection: Sendable {
  /// In numeric order.
  public let tensors: [TensorSummary]
  public let digest: Digest
  /// Of a checkpoint with a moving average of the weights, the average's; nil elsewhere.
  public let averageDigest: Digest?
  /// Nil where the file does not say.
  public let step: Int?
  public let epoch: Int?
  /// The settings that the weights were trained with, as YAML; nil where the file does not say.
  public let configuration: String?
  public let metadata: [String: String]
  /// Of a checkpoint alone: the digest of its state, as it says, and whether all of it is as it was written.
  public let stateDigest: Digest?
  public let isUnaltered: Bool?

  public var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }
  public var nonFinite: Int { tensors.reduce(0) { $0 + $1.nonFinite } }

  public init(_ file: SafetensorsFile) { self.init(file, isUnaltered: nil) }

  private init(_ file: SafetensorsFile, isUnaltered: Bool?) {
    self.isUnaltered = isUnaltered
    stateDigest = file.metadata[Checkpoint.Key.stateDigest].flatMap { Digest(hexadecimal: $0) }
    tensors = file.tensors.map(TensorSummary.init)
    digest = WeightsDigest.of(file.rawWeights.tensors)
    let evaluated = file.evaluatedWeights
    averageDigest = evaluated == file.rawWeights ? nil : WeightsDigest.of(evaluated.tensors)
    step = file.step
    epoch = file.epoch
    configuration = file.configuration
    metadata = file.metadata
  }

  /// - Throws: as `SafetensorsFile.init(reading:)` does.
  public init(of path: String) throws(Failure) {
    let (file, header) = try SafetensorsFile.read(path)
    self.init(file, isUnaltered: file.isCheckpoint ? file.isUnaltered(header: header) : nil)
  }

  /// One line a tensor under a line of titles, and one of totals; columns two blanks apart, no line break at the end.
  public func table() -> String {
    var rows = [["tensor", "shape", "count", "min", "max", "mean", "std", "non-finite"]]
    for tensor in tensors {
      let statistics = tensor.statistics.map { [$0.minimum, $0.maximum, $0.mean, $0.standardDeviation] }
      rows.append(
        [printable(tensor.name), "\(tensor.shape)", "\(tensor.count)"]
          + (statistics?.map(Self.fiveDigits) ?? ["-", "-", "-", "-"]) + ["\(tensor.nonFinite)"])
    }
    rows.append(["total", "", "\(parameterCount)", "", "", "", "", "\(nonFinite)"])
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column < 2 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  private static func fiveDigits(_ value: Double) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
      _ = withVaList([value]) { vsnprintf(buffer.baseAddress, buffer.count, "%.5g", $0) }
      return buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
  }
}
