import Augmentation
import Configuration
import Datasets
import Failures
import Images

/// Pictures of what training sees: a row a sample, first the image as it is, then its copies in epochs that follow each
/// other.
public enum AugmentationPreview {
  /// Copies a sample.
  public static let copies = 9
  private static let largestPixelCount = 1 << 26

  /// - Parameters:
  ///   - count: samples, from the first on; at least 1.
  ///   - epoch: of the first copies, from 0.
  /// - Throws: as `Settings.openDataset` does; `.usage` where there are fewer samples or the picture would be huge.
  public static func sheet(of settings: Settings, count: Int, epoch: Int) throws(Failure) -> PNGFile {
    let dataset = try settings.openDataset(.training)
    let shape = dataset.imageShape
    guard count <= dataset.count else {
      throw Failure(
        .usage, "--count is \(count), and there are \(dataset.count) training samples", remedy: "ask for fewer")
    }
    guard count <= largestCount(of: shape) else {
      throw Failure(.usage, "--count is \(count): the picture would be too large", remedy: "ask for fewer")
    }
    return sheet(
      of: dataset, settings.augmentationSettings, seed: settings.seed, count: count, epoch: epoch)
  }

  /// - Parameters:
  ///   - count: samples, from the first on; at most `dataset.count` and `largestCount`.
  ///   - epoch: of the first copies, from 0.
  static func sheet(
    of dataset: any Datasets.Dataset, _ settings: AugmentationSettings, seed: UInt64, count: Int, epoch: Int
  ) -> PNGFile {
    let shape = dataset.imageShape
    let augmenter = Augmenter(settings, for: shape, seed: seed)
    var sheet = ImageSheet(
      rows: count, columns: 1 + copies, imageWidth: shape.width, imageHeight: shape.height,
      color: shape.channels == 3 ? .rgb : .gray, zoom: zoom(of: shape))
    var pixels = [UInt8](repeating: 0, count: shape.pixelCount)
    for sample in 0..<count {
      for column in 0...copies {
        pixels.withUnsafeMutableBufferPointer { buffer in
          guard let start = buffer.baseAddress else { return }
          _ = dataset.read(sample, into: start)
          if column > 0 { augmenter?.augment(start, sample: sample, epoch: epoch + column - 1) }
        }
        sheet.draw(pixels, row: sample, column: column)
      }
    }
    return sheet.picture
  }

  /// The most samples whose copies make a picture of a size that can be shown.
  static func largestCount(of shape: ImageShape) -> Int {
    largestPixelCount / (shape.pixelCount * zoom(of: shape) * zoom(of: shape)) / (1 + copies)
  }

  private static func zoom(of shape: ImageShape) -> Int { max(shape.height, shape.width) <= 64 ? 2 : 1 }
}
