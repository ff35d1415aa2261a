import CPNG
import Checkpoints
import Failures

/// A picture of 8 bits a channel that is written as PNG, by libpng.
public struct PNGFile: Equatable, Sendable {
  public enum Color: Int, Sendable {
    case gray = 1
    case rgb = 3
  }

  public let width: Int
  public let height: Int
  public let color: Color
  /// Row by row from the top, the channels of a pixel side by side: [height][width][color.rawValue].
  public var pixels: [UInt8]

  /// A picture of one gray value.
  public init(width: Int, height: Int, color: Color = .gray, filledWith value: UInt8 = 0) {
    precondition(width >= 1 && height >= 1)
    self.width = width
    self.height = height
    self.color = color
    pixels = [UInt8](repeating: value, count: width * height * color.rawValue)
  }

  /// The file's bytes. The same pixels give the same bytes with the same libpng and zlib.
  ///
  /// - Throws: `.cannotCreate` where the picture is larger than libpng writes.
  public func encoded() throws(Failure) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(clamping: width)
    image.height = png_uint_32(clamping: height)
    image.format = png_uint_32(color == .gray ? PNG_FORMAT_GRAY : Int32(PNG_FORMAT_FLAG_COLOR))
    // The first call finds out how many bytes there are, the second writes them.
    var size = 0
    guard png_image_write_to_memory(&image, nil, &size, 0, pixels, 0, nil) != 0 else { throw Self.failure(&image) }
    var bytes = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else { throw Self.failure(&image) }
    return Array(bytes.prefix(size))
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: as `encoded` and `AtomicFile.write` do.
  public func write(to path: String) throws(Failure) {
    let bytes = try encoded()
    try AtomicFile.write(to: path) { (file) throws(Failure) in try file.append(bytes.span.bytes) }
  }

  private static func failure(_ image: inout png_image) -> Failure {
    let message = withUnsafeBytes(of: &image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    png_image_free(&image)
    return Failure(.cannotCreate, "the picture cannot be written as PNG: \(message)", remedy: "ask for a smaller one")
  }
}
