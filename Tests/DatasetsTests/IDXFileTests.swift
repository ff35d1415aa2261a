import Arithmetic
import Failures
import Foundation
import Testing

@testable import Datasets

@Suite("Good idx files")
struct GoodIDXFiles {
  let folder: TemporaryFolder
  let cache: DecompressedCache

  init() throws {
    folder = try TemporaryFolder()
    cache = DecompressedCache(folder: folder("cache"))
  }

  @Test("of any shape read back as they were written, plain or compressed", arguments: [false, true])
  func roundTrip(compressed: Bool) throws {
    var stream = RandomStream(seed: 1, purpose: .test, layer: compressed ? 1 : 0)
    for trial in 0..<20 {
      let channels = Int(stream.next(below: 4))
      let shape = ImageShape(
        channels: max(1, channels), height: 1 + Int(stream.next(below: 40)), width: 1 + Int(stream.next(below: 40)))
      let count = 1 + Int(stream.next(below: 30))
      let pixels = (0..<count * shape.pixelCount).map { _ in UInt8(stream.next(below: 256)) }
      let labels = (0..<count).map { _ in UInt8(stream.next(below: 256)) }
      let dimensions =
        channels == 0 ? [count, shape.height, shape.width] : [count, channels, shape.height, shape.width]
      let (imageBytes, labelBytes) = (idx(dimensions, pixels), idx([count], labels))
      let images = try folder.write("images\(trial)", compressed ? gzip(imageBytes) : imageBytes)
      let labelFile = try folder.write("labels\(trial)", compressed ? gzip(labelBytes) : labelBytes)
      let dataset = try openPair(images, labelFile, cache: cache)
      #expect(dataset.count == count)
      #expect(dataset.imageShape == shape)
      #expect(dataset.classCount == Int(labels.max() ?? 0) + 1)
      for index in 0..<count {
        let sample = dataset.sample(index)
        #expect(sample.label == Int(labels[index]))
        #expect(sample.pixels == Array(pixels[index * shape.pixelCount..<(index + 1) * shape.pixelCount]))
      }
    }
  }

  @Test("are recognised by their content, not by their name")
  func misleadingNames() throws {
    let images = try folder.write("images.gz", idx([2, 1, 1], [7, 8]))
    let labels = try folder.write("labels", gzip(idx([2], [0, 1])))
    let dataset = try openPair(images, labels, cache: cache)
    #expect(dataset.sample(1).pixels == [8])
    #expect(dataset.sample(1).label == 1)
  }

  @Test("may be compressed in several members")
  func members() throws {
    let bytes = idx([3, 2, 2], (0..<12).map { UInt8($0) })
    let images = try folder.write("images.gz", gzip(Array(bytes[..<9])) + gzip([]) + gzip(Array(bytes[9...])))
    let labels = try folder.write("labels.gz", gzip(idx([3], [0, 1, 2])))
    #expect(try openPair(images, labels, cache: cache).sample(2).pixels == [8, 9, 10, 11])
  }

  @Test("are cut to their first samples where fewer are asked for")
  func limited() throws {
    let images = try folder.write("images", idx([3, 1, 1], [7, 8, 9]))
    let labels = try folder.write("labels", idx([3], [0, 1, 2]))
    #expect(try openPair(images, labels, limit: 2, cache: cache).count == 2)
    #expect(try openPair(images, labels, limit: 3, cache: cache).count == 3)
    #expect(try openPair(images, labels, limit: 0, cache: cache).count == 3)
    for limit in [4, -1] {
      let found = failure { _ = try openPair(images, labels, limit: limit, cache: cache) }
      #expect(found?.code == .configuration)
      #expect(found?.cause == "limit is \(limit), but \(images) has 3 samples")
    }
  }
}

/// A wrong file of images, as plain bytes, and what is said of it.
private struct WrongImages: CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]
  let cause: String

  init(_ description: String, _ bytes: [UInt8], _ cause: String) {
    testDescription = description
    self.bytes = bytes
    self.cause = cause
  }
}

private let twelve = [UInt8](repeating: 1, count: 12)

private let wrongImages = [
  WrongImages("empty", [], "is empty"),
  WrongImages("three bytes", [0, 0, 8], "is truncated: it ends after byte 3 of a header that has at least 8"),
  WrongImages(
    "half a header", Array(idx([2, 3, 2], []).prefix(10)), "is truncated: it ends after byte 10 of its header's 16"),
  WrongImages(
    "wrong magic", idx([2, 3, 2], twelve, magic: [0, 1]),
    "is not an idx file: it begins with the bytes 00 01 08 03, not with 00 00"),
  WrongImages(
    "signed bytes", idx([2, 3, 2], twelve, type: 0x09),
    "holds signed bytes (type code 0x09) at byte 2, where unsigned bytes (type code 0x08) are needed"),
  WrongImages(
    "floats", idx([2, 3, 2], twelve, type: 0x0D),
    "holds 32-bit floats (type code 0x0d) at byte 2, where unsigned bytes (type code 0x08) are needed"),
  WrongImages(
    "unknown type", idx([2, 3, 2], twelve, type: 0x55),
    "holds an unknown type (type code 0x55) at byte 2, where unsigned bytes (type code 0x08) are needed"),
  WrongImages(
    "labels for images", idx([12], twelve),
    "has 1 dimension at byte 3, where images have 3 (count, height, width) or 4 (count, channels, height, width)"),
  WrongImages(
    "five dimensions", idx([1, 1, 1, 3, 4], twelve),
    "has 5 dimensions at byte 3, where images have 3 (count, height, width) or 4 (count, channels, height, width)"),
  WrongImages("no samples", idx([0, 28, 28], []), "holds nothing: its dimensions are 0 x 28 x 28"),
  WrongImages("no pixels", idx([2, 0, 28], []), "holds nothing: its dimensions are 2 x 0 x 28"),
  WrongImages(
    "product beyond any file", idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], twelve),
    "announces absurd dimensions, 4294967295 x 4294967295 x 4294967295"),
]

@Suite("Bad idx files are refused with their name and the byte")
struct BadIDXFiles {
  let folder: TemporaryFolder
  let labels: String
  let cache: DecompressedCache

  init() throws {
    folder = try TemporaryFolder()
    labels = try folder.write("labels", idx([2], [0, 1]))
    cache = DecompressedCache(folder: folder("cache"))
  }

  private func refusal(_ images: String, _ labels: String? = nil, classCount: Int? = nil) -> Failure? {
    failure { _ = try openPair(images, labels ?? self.labels, classCount: classCount, cache: cache) }
  }

  @Test("plain and compressed alike", arguments: wrongImages)
  fileprivate func headers(_ wrong: WrongImages) throws {
    for (name, bytes) in [("plain", wrong.bytes), ("compressed.gz", gzip(wrong.bytes))] {
      let images = try folder.write(name, bytes)
      let found = refusal(images)
      #expect(found?.code == .badData)
      #expect(found?.cause == "\(images) \(wrong.cause)")
      #expect(found?.remedy == "get the file again (launch/fetch-mnist.sh for MNIST)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder("cache")), "nothing is cached of a bad file")
  }

  @Test func missing() {
    let found = refusal(folder("nowhere"))
    #expect(found == Failure(.noInput, "\(folder("nowhere")) does not exist", remedy: "check dataset.path"))
  }

  @Test func folderForFile() {
    #expect(refusal(folder.path)?.code == .badData)
    #expect(refusal(folder.path)?.cause == "\(folder.path) is not a regular file")
  }

  @Test func pipeForFile() {
    #expect(mkfifo(folder("pipe"), 0o600) == 0)
    #expect(refusal(folder("pipe"))?.cause == "\(folder("pipe")) is not a regular file")
  }

  @Test func truncated() throws {
    let plain = try folder.write("plain", idx([2, 3, 2], Array(twelve.dropLast())))
    #expect(
      refusal(plain)?.cause
        == "\(plain) is truncated: it ends after byte 27 of the 28 that its header (2 x 3 x 2) announces")
    let compressed = try folder.write("short.gz", gzip(idx([2, 3, 2], Array(twelve.dropLast()))))
    #expect(
      refusal(compressed)?.cause
        == "\(compressed) is truncated: it ends after decompressed byte 27 of the 28 that its header (2 x 3 x 2) "
        + "announces")
  }

  @Test func trailingBytes() throws {
    for (name, bytes) in [("plain", idx([2, 3, 2], twelve + [0])), ("long.gz", gzip(idx([2, 3, 2], twelve + [0])))] {
      let images = try folder.write(name, bytes)
      #expect(
        refusal(images)?.cause
          == "\(images) has bytes after its last element: its header (2 x 3 x 2) announces 28 bytes and more follow")
    }
    let whole = gzip(idx([2, 3, 2], twelve))
    let padded = try folder.write("padded.gz", whole + [0, 0, 0])
    #expect(
      refusal(padded)?.cause
        == "\(padded) has bytes after the end of its gzip stream, from byte \(whole.count) on")
  }

  @Test("a compressed file that breaks off says where, at every length")
  func brokenOff() throws {
    var stream = RandomStream(seed: 2, purpose: .test)
    let whole = gzip(idx([2, 3, 50], (0..<300).map { _ in UInt8(stream.next(below: 256)) }))
    for length in 2..<whole.count {
      let images = try folder.write("broken.gz", Array(whole.prefix(length)))
      let found = refusal(images)
      #expect(found?.code == .badData)
      #expect(
        found?.cause.hasPrefix("\(images) is truncated: its gzip stream breaks off at byte \(length) of the file")
          == true, "\(found?.cause ?? "accepted") at \(length)")
    }
    #expect(try folder.names(in: "cache").isEmpty, "half a build is not left behind")
  }

  @Test("a corrupt gzip stream is told in zlib's words")
  func corrupt() throws {
    var bytes = gzip(idx([2, 3, 2], twelve))
    bytes[bytes.count - 5] ^= 1
    let checksum = try folder.write("checksum.gz", bytes)
    #expect(refusal(checksum)?.code == .badData)
    #expect(refusal(checksum)?.cause.hasPrefix("\(checksum) is corrupt: zlib says \"incorrect data check\"") == true)
    bytes[2] = 9
    let method = try folder.write("method.gz", bytes)
    #expect(
      refusal(method)?.cause.hasPrefix("\(method) is corrupt: zlib says \"unknown compression method\"") == true)
    // The last deflate block's type made the reserved one.
    bytes = gzip(idx([2, 3, 2], twelve))
    bytes[10] |= 0b110
    let block = try folder.write("block.gz", bytes)
    #expect(refusal(block)?.cause.hasPrefix("\(block) is corrupt: zlib says \"invalid block type\"") == true)
  }

  @Test func notGzip() throws {
    let page = try folder.write("page.gz", [UInt8]("<html>not found</html>".utf8))
    #expect(
      refusal(page)?.cause == "\(page) is not a gzip file: it begins with the bytes 3c 68, not with 1f 8b")
  }

  @Test("dimensions that no file of this size can hold are refused before any room is made")
  func absurd() throws {
    let images = try folder.write("huge.gz", gzip(idx([60_000, 20_000, 20_000], twelve)))
    let size = try folder.read("huge.gz").count
    #expect(
      refusal(images)?.cause
        == "\(images) announces absurd dimensions, 60000 x 20000 x 20000: 24000000000016 bytes cannot come from "
        + "\(size) compressed ones")
    let plain = try folder.write("huge", idx([60_000, 20_000, 20_000], twelve))
    #expect(
      refusal(plain)?.cause
        == "\(plain) is truncated: it ends after byte 28 of the 24000000000016 that its header "
        + "(60000 x 20000 x 20000) announces")
    let labels = try folder.write("labels.gz", gzip(idx([4_000_000_000], [1])))
    let good = try folder.write("good", idx([2, 3, 2], twelve))
    #expect(refusal(good, labels)?.cause.hasPrefix("\(labels) announces absurd dimensions, 4000000000") == true)
  }

  @Test func countsThatDiffer() throws {
    let images = try folder.write("images", idx([3, 2, 2], twelve))
    #expect(
      refusal(images)
        == Failure(
          .badData, "\(images) has 3 images but \(labels) has 2 labels", remedy: "use files that belong together"))
  }

  @Test func imagesForLabels() throws {
    let images = try folder.write("images", idx([2, 3, 2], twelve))
    #expect(refusal(images, images)?.cause == "\(images) has 3 dimensions at byte 3, where labels have 1 (count)")
  }

  @Test func labelsOutOfRange() throws {
    let images = try folder.write("images", idx([4, 3, 1], twelve))
    let labels = try folder.write("wrong", idx([4], [3, 9, 10, 255]))
    #expect(
      refusal(images, labels, classCount: 10)
        == Failure(
          .badData, "\(labels): label 10 of sample 2 is out of range, there are 10 classes",
          remedy: "repair the file, or set model.output_size to more than 10"))
    #expect(refusal(images, labels, classCount: 256) == nil)
    #expect(refusal(images, labels) == nil)
  }

  @Test("no damage to a file does worse than a failure")
  func damaged() throws {
    var stream = RandomStream(seed: 3, purpose: .test)
    let plain = idx([5, 4, 3], (0..<60).map { UInt8($0) })
    for trial in 0..<400 {
      var bytes = trial % 2 == 0 ? plain : gzip(plain)
      for _ in 0...stream.next(below: 3) {
        bytes[Int(stream.next(below: UInt32(bytes.count)))] = UInt8(stream.next(below: 256))
      }
      if stream.next(below: 4) == 0 { bytes.removeLast(Int(stream.next(below: UInt32(bytes.count)))) }
      let images = try folder.write("damaged", bytes)
      do {
        let dataset = try openPair(images, labels, cache: cache)
        _ = dataset.sample(dataset.count - 1)
      } catch let error as Failure {
        #expect(error.cause.contains(images))
      }
    }
  }
}
