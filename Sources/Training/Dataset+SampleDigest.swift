import Datasets
import Digests

extension Dataset {
  /// Finds most differences between two ranks' data without reading all of it: SHA-256 over count, classes, shape and up
  /// to 256 samples spread over the whole. The name is left out: it may be that of a folder.
  public var sampleDigest: Digest {
    var hash = SHA256()
    let shape = imageShape
    hash.update("\(count) \(classCount) \(shape.channels) \(shape.height) \(shape.width)\n")
    var pixels = [UInt8](repeating: 0, count: shape.pixelCount)
    let samples = min(count, 256)
    for sample in 0..<samples {
      let label = pixels.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.map { read(sample * count / samples, into: $0) } ?? 0
      }
      hash.update("\(label) ")
      pixels.withUnsafeBytes { hash.update($0) }
    }
    return hash.finalize()
  }
}

extension SHA256 {
  fileprivate mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }
}
