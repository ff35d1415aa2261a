import CZlib
import Failures
import Foundation

@testable import Datasets

/// A folder that goes away with this object, and the files that tests put there.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dtrain-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: self(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name)))) }

  func names(in folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self(folder)).sorted()
  }

  /// The four files of a small data set; returns the pixels and labels of the training subset.
  @discardableResult
  func writeDataset(in folder: String, count: Int = 6, compressed: Bool = true) throws -> (
    pixels: [UInt8], labels: [UInt8]
  ) {
    let pixels = (0..<count * 4 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let labels = (0..<count).map { UInt8($0 % 10) }
    for prefix in ["train", "t10k"] {
      for (name, bytes) in [
        ("images-idx3-ubyte", idx([count, 4, 3], pixels)), ("labels-idx1-ubyte", idx([count], labels)),
      ] {
        try write("\(folder)/\(prefix)-\(name)\(compressed ? ".gz" : "")", compressed ? gzip(bytes) : bytes)
      }
    }
    return (pixels, labels)
  }
}

/// The bytes of an idx file.
func idx(_ dimensions: [Int], _ elements: [UInt8], type: UInt8 = 0x08, magic: [UInt8] = [0, 0]) -> [UInt8] {
  magic + [type, UInt8(dimensions.count)]
    + dimensions.flatMap {
      [
        UInt8(truncatingIfNeeded: $0 >> 24), UInt8(truncatingIfNeeded: $0 >> 16), UInt8(truncatingIfNeeded: $0 >> 8),
        UInt8(truncatingIfNeeded: $0),
      ]
    }
    + elements
}

func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  deflateInit2_(
    &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  defer { deflateEnd(&stream) }
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 64)
  let written = input.withUnsafeMutableBufferPointer { source in
    output.withUnsafeMutableBufferPointer { target in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(target.count)
      deflate(&stream, Z_FINISH)
      return target.count - Int(stream.avail_out)
    }
  }
  return Array(output.prefix(written))
}

/// What an operation fails with; nil where it succeeds.
func failure(_ operation: () throws -> Void) -> Failure? {
  do {
    try operation()
    return nil
  } catch {
    return error as? Failure
  }
}

extension Dataset {
  func sample(_ index: Int) -> (pixels: [UInt8], label: Int) {
    var pixels = [UInt8](repeating: 0, count: imageShape.pixelCount)
    let label = read(index, into: &pixels)
    return (pixels, label)
  }
}

func openPair(
  _ images: String, _ labels: String, classCount: Int? = nil, limit: Int = 0, cache: DecompressedCache
) throws -> IDXDataset {
  try IDXDataset(
    images: images, labels: labels, name: "test", origin: "a test", classCount: classCount, limit: limit,
    limitName: "limit", cache: cache)
}

extension DecompressedCache {
  init(folder: String) { self.init(places: [Place(path: folder, mustBeOwn: false)]) }
}
