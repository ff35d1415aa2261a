import CPNG
import Checkpoints
import Failures

/// A picture of any kind as grays with opacity, read from PNG by libpng.
public struct GrayPicture: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// Row by row from the top: 0 black, 255 white.
  public let grays: [UInt8]
  /// 0 transparent, 255 opaque.
  public let opacities: [UInt8]

  /// More pixels than a camera makes take too much memory.
  static let largestPixelCount = 50_000_000
  /// In bytes.
  static let largestFile = 500_000_000

  public init(width: Int, height: Int, grays: [UInt8], opacities: [UInt8]) {
    precondition(width > 0 && height > 0 && grays.count == width * height && opacities.count == width * height)
    self.width = width
    self.height = height
    self.grays = grays
    self.opacities = opacities
  }

  /// Reads a PNG of any depth and color; colors become their luminance.
  ///
  /// - Throws: `.noInput`, `.noPermission`, `.inputOutput`; `.badData` where it is no PNG, damaged, or too large, before
  ///   memory is taken for it.
  public init(reading path: String) throws(Failure) {
    let file = try InputFile(path, what: "a PNG picture")
    guard file.size <= Self.largestFile else {
      throw Self.failure(path, "it has \(file.size) bytes, more than \(Self.largestFile)")
    }
    try self.init(png: file.read(file.size, of: UInt8.self, at: 0), path)
  }

  /// - Parameter path: for messages.
  init(png bytes: [UInt8], _ path: String) throws(Failure) {
    // Its address has to stay from the first call to the last: libpng keeps it for its errors.
    let image = UnsafeMutablePointer<png_image>.allocate(capacity: 1)
    image.initialize(to: png_image())
    defer {
      png_image_free(image)
      image.deallocate()
    }
    image.pointee.version = png_uint_32(PNG_IMAGE_VERSION)
    let outcome = bytes.withUnsafeBytes { source in
      Result { () throws(Failure) in try Self.decode(source, image, path) }
    }
    let pixels = try outcome.get()
    let count = pixels.count / 2
    self.init(
      width: Int(image.pointee.width), height: Int(image.pointee.height), grays: (0..<count).map { pixels[2 * $0] },
      opacities: (0..<count).map { pixels[2 * $0 + 1] })
  }

  /// Gray and opacity of each pixel, side by side.
  private static func decode(
    _ source: UnsafeRawBufferPointer, _ image: UnsafeMutablePointer<png_image>, _ path: String
  ) throws(Failure) -> [UInt8] {
    guard source.starts(with: signature) else {
      throw failure(path, source.isEmpty ? "the file is empty" : "it does not begin as one does")
    }
    guard png_image_begin_read_from_memory(image, source.baseAddress, source.count) != 0 else {
      throw failure(path, message(image))
    }
    let (width, height) = (Int(image.pointee.width), Int(image.pointee.height))
    guard width > 0, height > 0, width <= largestPixelCount / height else {
      throw failure(path, "it has \(width)x\(height) pixels, more than \(largestPixelCount)")
    }
    guard source.suffix(end.count).elementsEqual(end) else { throw failure(path, "it has no end, or more behind it") }
    guard leastSize(source, width, height) <= source.count else {
      throw failure(path, "\(source.count) bytes are too few for \(width)x\(height) pixels")
    }
    image.pointee.format = png_uint_32(PNG_FORMAT_FLAG_ALPHA)
    var pixels = [UInt8](repeating: 0, count: 2 * width * height)
    guard png_image_finish_read(image, nil, &pixels, 0, nil) != 0 else { throw failure(path, message(image)) }
    return pixels
  }

  private static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// The chunk that ends a file: its length of 0, its name, its checksum.
  private static let end: [UInt8] = [0, 0, 0, 0] + Array("IEND".utf8) + [0xae, 0x42, 0x60, 0x82]

  /// So many bytes a file has at least, in whose head libpng found nothing wrong: deflate makes 1032 bytes of one at
  /// most.
  private static func leastSize(_ source: UnsafeRawBufferPointer, _ width: Int, _ height: Int) -> Int {
    // Behind signature, length, name, width and height: bits of a sample, and the kind of pixels.
    let (depth, kind) = (Int(source[24]), source[25])
    let samples = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][kind] ?? 1
    return height * ((width * depth * samples + 7) / 8) / 1032
  }

  private static func message(_ image: UnsafeMutablePointer<png_image>) -> String {
    "libpng says \"\(withUnsafeBytes(of: image.pointee.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })\""
  }

  private static func failure(_ path: String, _ reason: String) -> Failure {
    Failure(
      .badData, "\(path): not a good PNG picture: \(reason)",
      remedy: "save it anew as PNG, for other kinds of file with a program such as convert")
  }
}
