import Arithmetic

/// Makes the copies of images that training sees, on the thread that trains on them.
///
/// A copy is a function of (seed, epoch, index of the sample) and of the settings alone: no rank, thread or order enters.
/// Buffers are made here, once; a copy allocates nothing. Belongs to one thread.
public final class Augmenter {
  private let settings: AugmentationSettings
  private let seed: UInt64
  private let purpose: RandomStream.Purpose
  private let channels: Int
  private let height: Int
  private let width: Int
  /// Floats a row of a result: the width rounded up to a multiple of 8.
  private let stride: Int
  private let source: BorderedImage
  private let field: ElasticField?
  /// [channels][height][stride].
  private let result: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - settings: within the ranges that they are documented with.
  ///   - purpose: copies for training and for prediction have random numbers of their own.
  public init(
    _ settings: AugmentationSettings, channels: Int, height: Int, width: Int, seed: UInt64,
    purpose: RandomStream.Purpose = .augmentation
  ) {
    self.settings = settings
    self.seed = seed
    self.purpose = purpose
    self.channels = channels
    self.height = height
    self.width = width
    stride = (width + 7) / 8 * 8
    source = BorderedImage(height: height, width: width)
    field =
      settings.elastic > 0
      ? ElasticField(
        height: height, width: width, stride: stride, amplitude: settings.elastic,
        smoothness: settings.elasticSmoothness) : nil
    result = .allocate(capacity: channels * height * stride)
  }

  deinit {
    source.deallocate()
    result.deallocate()
  }

  /// What happens to a sample in an epoch, but for elastic displacements and noise.
  public func transform(ofSample sample: Int, epoch: Int) -> ImageTransform {
    var stream = stream(.transform, sample: sample, epoch: epoch)
    return ImageTransform(settings, &stream)
  }

  /// Replaces an image by the copy that an epoch sees.
  ///
  /// - Parameters:
  ///   - pixels: [channels][height][width].
  ///   - sample: its index in the data set.
  public func augment(_ pixels: UnsafeMutablePointer<UInt8>, sample: Int, epoch: Int) {
    let transform = transform(ofSample: sample, epoch: epoch)
    if let field {
      var stream = stream(.elastic, sample: sample, epoch: epoch)
      field.draw(&stream)
    }
    if settings.movesPixels || settings.changesValues { redraw(pixels, transform, sample: sample, epoch: epoch) }
    if settings.erasing > 0 { erase(pixels, sample: sample, epoch: epoch) }
  }

  private func redraw(_ pixels: UnsafeMutablePointer<UInt8>, _ transform: ImageTransform, sample: Int, epoch: Int) {
    for channel in 0..<channels {
      let image = pixels + channel * height * width
      let copy = result + channel * height * stride
      source.take(image)
      if settings.movesPixels {
        source.resample(transform, field, to: copy, resultStride: stride)
      } else {
        for y in 0..<height { (copy + y * stride).update(from: source.origin + y * source.stride, count: width) }
      }
    }
    if settings.changesValues { changeValues(transform, sample: sample, epoch: epoch) }
    for row in 0..<channels * height {
      let (values, bytes) = (result + row * stride, pixels + row * width)
      for x in 0..<width { bytes[x] = UInt8(max(0, min(255, values[x])) + 0.5) }
    }
  }

  private func changeValues(_ transform: ImageTransform, sample: Int, epoch: Int) {
    var sum: Float = 0
    for row in 0..<channels * height {
      for x in 0..<width { sum += result[row * stride + x] }
    }
    let mean = sum / Float(channels * height * width)
    // contrast · (v − mean) + mean + brightness
    let offset = mean - transform.contrast * mean + transform.brightness
    for row in 0..<channels * height {
      for x in 0..<width { result[row * stride + x] = transform.contrast * result[row * stride + x] + offset }
    }
    if settings.noise > 0 { addNoise(sample: sample, epoch: epoch) }
  }

  /// The sum of four uniform bytes stands for a normal number: it ends at 3.5 standard deviations, and takes one word
  /// where the normal one takes logarithm and cosine.
  private func addNoise(sample: Int, epoch: Int) {
    var stream = stream(.noise, sample: sample, epoch: epoch)
    // The sum's mean is 2 · 255, its variance 4 · (256² − 1) / 12.
    let factor = Float(255 * settings.noise / (65535.0 / 3).squareRoot())
    for row in 0..<channels * height {
      for x in 0..<width {
        let word = stream.nextUInt32()
        let sum = (word & 0xff) + (word >> 8 & 0xff) + (word >> 16 & 0xff) + (word >> 24)
        result[row * stride + x] += factor * (Float(sum) - 510)
      }
    }
  }

  private func erase(_ pixels: UnsafeMutablePointer<UInt8>, sample: Int, epoch: Int) {
    var stream = stream(.erasing, sample: sample, epoch: epoch)
    guard
      let rectangle = ErasedRectangle(probability: settings.erasing, height: height, width: width, &stream)
    else { return }
    for channel in 0..<channels {
      for y in rectangle.rows {
        let row = pixels + (channel * height + y) * width
        var word: UInt32 = 0
        for (place, x) in rectangle.columns.enumerated() {
          word = place % 4 == 0 ? stream.nextUInt32() : word >> 8
          row[x] = UInt8(truncatingIfNeeded: word)
        }
      }
    }
  }

  private enum Purpose: UInt16 { case transform, elastic, noise, erasing }

  private func stream(_ purpose: Purpose, sample: Int, epoch: Int) -> RandomStream {
    RandomStream(
      seed: seed, purpose: self.purpose, layer: purpose.rawValue, first: UInt32(truncatingIfNeeded: epoch),
      second: UInt32(truncatingIfNeeded: sample))
  }
}
