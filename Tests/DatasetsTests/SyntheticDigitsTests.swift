import CZlib
import Failures
import Testing

@testable import Datasets

@Suite("Synthetic digits")
struct SyntheticDigitsTests {
  private func digits(_ subset: Subset = .training, count: Int = 2_000, side: Int = 28, seed: UInt64 = 0) throws
    -> SyntheticDigits
  {
    try SyntheticDigits(subset: subset, count: count, side: side, seed: seed)
  }

  @Test("are the same bytes on every machine")
  func pinned() throws {
    let dataset = try digits()
    var checksum: UInt = 0
    for index in 0..<500 {
      var (pixels, label) = dataset.sample(index)
      pixels.append(UInt8(label))
      checksum = crc32_z(checksum, pixels, pixels.count)
    }
    #expect(checksum == 0x0531_2D0E)
  }

  @Test("depend on their index, subset and seed, on nothing else")
  func decided() throws {
    let dataset = try digits()
    let larger = try digits(count: 4_000_000_000)
    let test = try digits(.test)
    let reseeded = try digits(seed: 1)
    var images: Set<[UInt8]> = []
    for index in stride(from: 199, through: 0, by: -1) {
      let sample = dataset.sample(index)
      #expect(sample == larger.sample(index))
      images.formUnion([sample.pixels, test.sample(index).pixels, reseeded.sample(index).pixels])
    }
    #expect(images.count == 600)
    #expect(larger.sample(3_999_999_999).pixels != larger.sample(0).pixels)
  }

  @Test("do not depend on what was in memory before")
  func overwrites() throws {
    let dataset = try digits()
    var pixels = [UInt8](repeating: 255, count: 784)
    let label = dataset.read(5, into: &pixels)
    #expect(dataset.sample(5) == (pixels, label))
  }

  @Test("show each digit equally often, in no fixed order")
  func labels() throws {
    let dataset = try digits(count: 10_000)
    let labels = (0..<10_000).map { dataset.sample($0).label }
    for digit in 0..<10 {
      let count = labels.count { $0 == digit }
      // Six standard deviations.
      #expect(abs(count - 1_000) < 180, "\(count) of \(digit)")
    }
    #expect(zip(labels, labels.dropFirst()).count { $0 == $1 } > 800)
  }

  @Test("have the brightness of handwriting, inside the image")
  func brightness() throws {
    let dataset = try digits()
    var total = 0.0
    var border = 0.0
    for index in 0..<dataset.count {
      let pixels = dataset.sample(index).pixels
      #expect((pixels.max() ?? 0) > 120)
      let ink = pixels.count { $0 > 100 }
      #expect(ink > 15 && ink < 400)
      total += pixels.reduce(0) { $0 + Double($1) } / 784 / 255
      border += (0..<28).reduce(0) { $0 + Double(pixels[$1]) + Double(pixels[27 * 28 + $1]) } / 56 / 255
    }
    #expect(total / 2_000 > 0.08 && total / 2_000 < 0.18)
    #expect(border / 2_000 < 0.02)
  }

  /// A classifier too simple for anything but clear shapes: the nearest of the mean images. Chance is 10 %.
  @Test("can be told apart")
  func recognizable() throws {
    let training = try digits(count: 4_000)
    let test = try digits(.test, count: 1_000)
    var means = [[Double]](repeating: [Double](repeating: 0, count: 784), count: 10)
    var counts = [Double](repeating: 0, count: 10)
    for index in 0..<training.count {
      let (pixels, label) = training.sample(index)
      counts[label] += 1
      for place in 0..<784 { means[label][place] += Double(pixels[place]) }
    }
    for digit in 0..<10 { for place in 0..<784 { means[digit][place] /= counts[digit] } }
    var correct = 0
    for index in 0..<test.count {
      let (pixels, label) = test.sample(index)
      let distances = means.map { mean in
        (0..<784).reduce(0.0) { $0 + (mean[$1] - Double(pixels[$1])) * (mean[$1] - Double(pixels[$1])) }
      }
      if distances.indices.min(by: { distances[$0] < distances[$1] }) == label { correct += 1 }
    }
    #expect(correct > 600, "\(correct) of 1000")
  }

  @Test("come in other sizes", arguments: [8, 9, 16, 32, 100])
  func sizes(side: Int) throws {
    let dataset = try digits(count: 60, side: side)
    #expect(dataset.imageShape == ImageShape(channels: 1, height: side, width: side))
    for index in 0..<dataset.count {
      let pixels = dataset.sample(index).pixels
      let ink = Double(pixels.reduce(0) { $0 + Int($1) }) / Double(side * side * 255)
      #expect(ink > 0.02 && ink < 0.5)
    }
  }

  @Test("refuse what they cannot be")
  func refusals() {
    for (count, side) in [(0, 28), (-1, 28), (1 << 32, 28), (10, 7), (10, 1_025)] {
      #expect(failure { _ = try digits(count: count, side: side) }?.code == .configuration)
    }
  }

  @Test("can be read from several threads at once")
  func threads() async throws {
    let dataset = try digits(count: 300)
    let expected = (0..<300).map { dataset.sample($0).pixels }
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<6 {
        group.addTask { (0..<300).allSatisfy { dataset.sample($0).pixels == expected[$0] } }
      }
      for await same in group { #expect(same) }
    }
  }
}
