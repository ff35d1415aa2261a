import Arithmetic
import Augmentation
import Foundation
import Testing

/// A smooth image with some edges, drawn from a seed.
private func drawnImage(_ seed: UInt64, height: Int, width: Int) -> [UInt8] {
  var stream = RandomStream(seed: seed, purpose: .test)
  let (a, b, c) = (stream.nextUnit(), stream.nextUnit(), stream.nextUnit())
  return (0..<height * width).map { place in
    let (x, y) = (Double(place % width) / Double(width), Double(place / width) / Double(height))
    let wave = sin(7 * a * x + 5 * b * y + 6 * c) * cos(4 * b * x - 9 * c * y)
    return x + y > 0.4 + c ? UInt8(127 + 127 * wave) : UInt8(40 * x)
  }
}

private func augmented(
  _ image: [UInt8], _ settings: AugmentationSettings, channels: Int = 1, height: Int = 28, width: Int = 28,
  seed: UInt64 = 1, sample: Int = 0, epoch: Int = 0
) -> [UInt8] {
  let augmenter = Augmenter(settings, channels: channels, height: height, width: width, seed: seed)
  var copy = image
  copy.withUnsafeMutableBufferPointer { buffer in
    if let start = buffer.baseAddress { augmenter.augment(start, sample: sample, epoch: epoch) }
  }
  return copy
}

private func settings(_ change: (inout AugmentationSettings) -> Void) -> AugmentationSettings {
  var settings = AugmentationSettings()
  change(&settings)
  return settings
}

/// Every transform alone, and all that can be compared at once.
private let kinds: [(String, AugmentationSettings)] = [
  ("rotation", settings { $0.rotation = 40 }), ("shift", settings { $0.shift = 3 }),
  ("scale", settings { $0.scale = 0.4 }), ("shear", settings { $0.shear = 30 }),
  ("elastic", settings { $0.elastic = 2 }),
  (
    "rough elastic",
    settings {
      $0.elastic = 1.5
      $0.elasticSmoothness = 1
    }
  ), ("crop", settings { $0.crop = 4 }), ("flip", settings { $0.flip = 0.5 }),
  ("brightness", settings { $0.brightness = 0.3 }), ("contrast", settings { $0.contrast = 0.5 }),
  (
    "all",
    settings {
      $0.rotation = 180
      $0.shift = 2
      $0.scale = 0.3
      $0.shear = 20
      $0.elastic = 1
      $0.elasticSmoothness = 3
      $0.crop = 2
      $0.flip = 0.5
      $0.brightness = 0.1
      $0.contrast = 0.2
    }
  ),
]

@Suite struct AugmenterTests {
  /// Against the settings' meaning in double. A byte may be rounded the other way where the sum is nearly half.
  @Test(arguments: kinds.map(\.0), [(28, 28), (19, 33), (8, 5)])
  func isItsMeaning(kind: String, size: (Int, Int)) throws {
    let (height, width) = size
    let settings = try #require(kinds.first { $0.0 == kind }?.1)
    for sample in 0..<12 {
      let image = drawnImage(UInt64(sample), height: height, width: width)
      let expected = ReferenceTransform(
        settings, height: height, width: width, seed: 1, sample: sample, epoch: 3
      ).copy(image, height: height, width: width)
      let copy = augmented(image, settings, height: height, width: width, sample: sample, epoch: 3)
      for (value, byte) in zip(expected, copy) { #expect(abs(value - Double(byte)) <= 0.502) }
    }
  }

  @Test func leavesAnImageThatNothingHappensTo() {
    let image = drawnImage(5, height: 28, width: 28)
    #expect(AugmentationSettings().isOff)
    #expect(augmented(image, AugmentationSettings()) == image)
    // Resampled, but each pixel where it was.
    #expect(augmented(image, settings { $0.flip = 1e-12 }) == image)
    // Values changed by nothing.
    #expect(augmented(image, settings { $0.brightness = 1e-12 }) == image)
  }

  @Test func exchangesLeftAndRightExactly() {
    let image = drawnImage(6, height: 20, width: 30)
    let copy = augmented(image, settings { $0.flip = 1 }, height: 20, width: 30)
    for y in 0..<20 { for x in 0..<30 { #expect(copy[y * 30 + x] == image[y * 30 + 29 - x]) } }
  }

  @Test func cropsWholePixelsAndEveryPlaceAsOften() {
    let image = drawnImage(7, height: 28, width: 28)
    let crop = settings { $0.crop = 1 }
    let augmenter = Augmenter(crop, channels: 1, height: 28, width: 28, seed: 9)
    var counts: [SIMD2<Float>: Int] = [:]
    for sample in 0..<900 {
      let shift = augmenter.transform(ofSample: sample, epoch: 0).shift
      counts[shift, default: 0] += 1
      guard sample < 20 else { continue }
      let copy = augmented(image, crop, seed: 9, sample: sample)
      for y in 0..<28 {
        for x in 0..<28 {
          let (column, row) = (x - Int(shift.x), y - Int(shift.y))
          let isInside = (0..<28).contains(column) && (0..<28).contains(row)
          #expect(copy[y * 28 + x] == (isInside ? image[row * 28 + column] : 0))
        }
      }
    }
    #expect(counts.count == 9)
    for (shift, count) in counts { #expect((50...150).contains(count), "\(shift)") }
  }

  @Test func channelsMoveTogether() {
    let image = drawnImage(8, height: 24, width: 24)
    let all = settings {
      $0.rotation = 30
      $0.elastic = 1
    }
    let one = augmented(image, all, height: 24, width: 24)
    #expect(augmented(image + image + image, all, channels: 3, height: 24, width: 24) == one + one + one)
  }

  @Test func elasticDisplacementsHaveTheirSizeAndSmoothness() {
    let elastic = settings {
      $0.elastic = 1.5
      $0.elasticSmoothness = 3
    }
    var (squares, products, count) = (0.0, 0.0, 0.0)
    for sample in 0..<3000 {
      let field = ReferenceTransform(elastic, height: 28, width: 28, seed: 2, sample: sample, epoch: 0).displacement
      let (here, there) = (field(5, 9), field(8, 9))
      squares += here.x * here.x + here.y * here.y
      products += here.x * there.x + here.y * there.y
      count += 2
    }
    // At one place in the grid the variance is up to a twelfth more or less than the mean of all places.
    #expect(abs((squares / count).squareRoot() / 1.5 - 1) < 0.06)
    // White noise smoothed by a Gaussian correlates as exp(−d² / 4σ²) at the distance d, here σ.
    #expect(abs(products / squares - exp(-0.25)) < 0.1)
  }

  @Test func noiseHasItsSize() {
    let image = [UInt8](repeating: 128, count: 28 * 28)
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    for sample in 0..<50 {
      for byte in augmented(image, settings { $0.noise = 0.1 }, sample: sample) {
        sum += Double(byte) - 128
        squares += (Double(byte) - 128) * (Double(byte) - 128)
        count += 1
      }
    }
    #expect(abs(sum / count) < 0.5)
    #expect(abs((squares / count).squareRoot() - 25.5) < 0.3)
  }

  /// An image of one value shows what was erased: rows and columns of other values, but for one in 256.
  @Test(arguments: [(1, 28, 28), (3, 9, 40), (1, 5, 4)])
  func erasesOneRectangleOfTheStatedSize(channels: Int, height: Int, width: Int) {
    let image = [UInt8](repeating: 77, count: channels * height * width)
    let samples = 400
    var (erased, area, tall) = (0.0, 0.0, 0.0)
    for sample in 0..<samples {
      let copy = augmented(
        image, settings { $0.erasing = 0.6 }, channels: channels, height: height, width: width, sample: sample)
      let places = copy.indices.filter { copy[$0] != 77 }.map { $0 % (height * width) }
      guard !places.isEmpty else { continue }
      let (rows, columns) = (Set(places.map { $0 / width }), Set(places.map { $0 % width }))
      let (ySpan, xSpan) = (rows.max()! - rows.min()! + 1, columns.max()! - columns.min()! + 1)
      let share = Double(ySpan * xSpan) / Double(height * width)
      // Each side is rounded to whole pixels, which matters in small images.
      #expect(share < 0.33 + 0.5 * (Double(ySpan) + Double(xSpan) + 0.5) / Double(height * width))
      #expect(Double(places.count) > 0.8 * Double(channels * ySpan * xSpan) - 2)
      erased += 1
      area += share
      tall += ySpan > xSpan ? 1 : 0
    }
    #expect(abs(erased / Double(samples) - 0.6) < 0.1)
    guard height == width else { return }
    #expect(abs(area / erased - 0.175) < 0.02)
    #expect(abs(tall / erased - 0.5) < 0.1)
  }

  @Test func erasingLeavesTheRestOfTheImage() {
    let image = drawnImage(3, height: 28, width: 28)
    let copy = augmented(image, settings { $0.erasing = 1 }, sample: 5)
    #expect(copy != image)
    #expect(zip(copy, image).count(where: { $0 == $1 }) > 28 * 28 / 2)
  }

  @Test func dependsOnSeedEpochAndSampleAlone() {
    let image = drawnImage(10, height: 28, width: 28)
    let all = settings {
      $0.rotation = 20
      $0.elastic = 1
      $0.noise = 0.05
      $0.erasing = 0.5
    }
    let copy = augmented(image, all, seed: 4, sample: 17, epoch: 2)
    #expect(augmented(image, all, seed: 4, sample: 17, epoch: 2) == copy)
    #expect(augmented(image, all, seed: 5, sample: 17, epoch: 2) != copy)
    #expect(augmented(image, all, seed: 4, sample: 18, epoch: 2) != copy)
    #expect(augmented(image, all, seed: 4, sample: 17, epoch: 3) != copy)
    // An augmenter that has worked on others before.
    let used = Augmenter(all, channels: 1, height: 28, width: 28, seed: 4)
    var pixels = image
    for sample in [3, 99, 17] {
      pixels = image
      pixels.withUnsafeMutableBufferPointer { buffer in
        if let start = buffer.baseAddress { used.augment(start, sample: sample, epoch: 2) }
      }
    }
    #expect(pixels == copy)
  }

  @Test func aSettingLeavesTheOthersRandomNumbers() {
    func transform(_ change: (inout AugmentationSettings) -> Void) -> ImageTransform {
      Augmenter(settings(change), channels: 1, height: 28, width: 28, seed: 3).transform(ofSample: 8, epoch: 1)
    }
    let shift = transform { $0.shift = 2 }.shift
    #expect(
      transform {
        $0.shift = 2
        $0.rotation = 90
        $0.flip = 1
        $0.brightness = 1
      }.shift == shift)
  }
}
