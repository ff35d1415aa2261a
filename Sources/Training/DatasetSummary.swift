import Configuration
import Datasets
import Digests
import Failures
import Reporting

/// What there is to know of the data that settings name: what `dtrain data` prints.
public struct DatasetSummary: Sendable {
  private struct Part: Sendable {
    let title: String
    let dataset: any Datasets.Dataset
    /// Samples of each class.
    let counts: [Int]
    let digest: Digest
  }

  private let parts: [Part]

  /// Reads every sample.
  ///
  /// - Throws: as `Settings.openDataset` does.
  public init(of settings: Settings) throws(Failure) {
    var parts = [Self.read("training", try settings.openDataset(.training))]
    if let validation = try settings.openValidation() { parts.append(Self.read("validation", validation)) }
    parts.append(Self.read("test", try settings.openDataset(.test)))
    self.parts = parts
  }

  private static func read(_ title: String, _ dataset: any Datasets.Dataset) -> Part {
    var counts = [Int](repeating: 0, count: dataset.classCount)
    var hash = SHA256()
    var sample = [UInt8](repeating: 0, count: dataset.imageShape.pixelCount + 4)
    sample.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      for index in 0..<dataset.count {
        let label = dataset.read(index, into: start.assumingMemoryBound(to: UInt8.self))
        counts[label] += 1
        bytes.storeBytes(
          of: UInt32(label).littleEndian, toByteOffset: dataset.imageShape.pixelCount, as: UInt32.self)
        hash.update(UnsafeRawBufferPointer(bytes))
      }
    }
    return Part(title: title, dataset: dataset, counts: counts, digest: hash.finalize())
  }

  /// What a person reads: name, shape, samples by class, files, digests.
  ///
  /// A digest is SHA-256 over the samples in their order, of each the pixels as bytes, [channels][height][width], and the
  /// label as a little-endian integer of 32 bits.
  public var lines: [String] {
    let first = parts[0].dataset
    let shape = first.imageShape
    var lines = [
      "data     \(first.name), \(first.origin)",
      "images   \(shape.channels) x \(shape.height) x \(shape.width) pixels (channels, height, width), "
        + "\(first.classCount) classes", "",
    ]
    var table = TextTable([.left] + parts.map { _ in .right })
    table.add(["class"] + parts.map(\.title))
    for label in 0..<first.classCount {
      table.add(["\(label)"] + parts.map { label < $0.counts.count ? "\($0.counts[label])" : "" })
    }
    table.add(["all"] + parts.map { "\($0.dataset.count)" })
    lines += table.lines + [""]
    for part in parts {
      for file in part.dataset.files { lines.append("file     \(part.title): \(file)") }
    }
    for part in parts { lines.append("digest   \(part.title): \(part.digest)") }
    return lines
  }
}
