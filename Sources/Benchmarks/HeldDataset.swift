import Configuration
import Datasets
import Failures
import Training

/// Samples of another data set, read once, so that reading them costs the same whatever they come from.
final class HeldDataset: Datasets.Dataset {
  let name: String
  let origin: String
  let count: Int
  let imageShape: ImageShape
  let classCount: Int
  private let pixels: [UInt8]
  private let labels: [UInt8]

  init(_ dataset: any Datasets.Dataset) {
    name = dataset.name
    origin = dataset.origin
    count = dataset.count
    imageShape = dataset.imageShape
    classCount = dataset.classCount
    let size = dataset.imageShape.pixelCount
    let count = dataset.count
    var labels: [UInt8] = []
    labels.reserveCapacity(count)
    pixels = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, written in
      for sample in 0..<count {
        guard let start = buffer.baseAddress else { break }
        labels.append(UInt8(truncatingIfNeeded: dataset.read(sample, into: start + sample * size)))
        written += size
      }
    }
    self.labels = labels
  }

  func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
    let size = imageShape.pixelCount
    self.pixels.withUnsafeBufferPointer { held in
      pixels.update(from: held.baseAddress.unsafelyUnwrapped + index * size, count: size)
    }
    return Int(labels[index])
  }
}

/// What is measured on.
struct BenchmarkData {
  let training: any Datasets.Dataset
  let test: any Datasets.Dataset

  /// So many digits are drawn where the settings do not say.
  static let drawnTrainingSamples = 2000
  static let drawnTestSamples = 1000

  /// The data that the settings name. Where none are named and there are none, or drawn ones are named, some drawn
  /// digits that are kept in memory.
  ///
  /// - Throws: as `Settings.openDataset` does.
  init(_ settings: Settings) throws(Failure) {
    if let found = try Self.find(settings) {
      (training, test) = found
      return
    }
    var drawn = settings
    drawn.dataset.name = .syntheticDigits
    if drawn.dataset.trainingSamples == 0 { drawn.dataset.trainingSamples = Self.drawnTrainingSamples }
    if drawn.dataset.testSamples == 0 { drawn.dataset.testSamples = Self.drawnTestSamples }
    training = HeldDataset(try drawn.openDataset(.training))
    test = HeldDataset(try drawn.openDataset(.test))
  }

  /// - Returns: nil where digits have to be drawn.
  private static func find(
    _ settings: Settings
  ) throws(Failure) -> (training: any Datasets.Dataset, test: any Datasets.Dataset)? {
    guard settings.dataset.name != .syntheticDigits else { return nil }
    do throws(Failure) {
      return (try settings.openDataset(.training), try settings.openDataset(.test))
    } catch {
      guard error.code == .noInput, settings.dataset.path == nil else { throw error }
      return nil
    }
  }
}
