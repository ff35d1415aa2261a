import CPNG
import Failures
import Images
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct PNGFileTests {
  /// What libpng reads of a file's bytes, in the format that is asked for.
  private func read(
    _ bytes: [UInt8], format: UInt32, channels: Int
  ) throws -> (width: Int, height: Int, pixels: [UInt8]) {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    try #require(png_image_begin_read_from_memory(&image, bytes, bytes.count) != 0)
    image.format = format
    var pixels = [UInt8](repeating: 0, count: Int(image.width) * Int(image.height) * channels)
    try #require(png_image_finish_read(&image, nil, &pixels, 0, nil) != 0)
    return (Int(image.width), Int(image.height), pixels)
  }

  @Test(arguments: [PNGFile.Color.gray, .rgb])
  func comesBackAsItWas(_ color: PNGFile.Color) throws {
    var picture = PNGFile(width: 7, height: 3, color: color)
    for place in picture.pixels.indices { picture.pixels[place] = UInt8(truncatingIfNeeded: place * 37) }
    let format = color == .gray ? PNG_FORMAT_GRAY : Int32(PNG_FORMAT_FLAG_COLOR)
    let back = try read(try picture.encoded(), format: UInt32(format), channels: color.rawValue)
    #expect(back.width == 7)
    #expect(back.height == 3)
    #expect(back.pixels == picture.pixels)
  }

  @Test func writesFileWhole() throws {
    let path = "/tmp/dtrain-png-\(getpid()).png"
    defer { unlink(path) }
    let picture = PNGFile(width: 2, height: 2, filledWith: 200)
    try picture.write(to: path)
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    #expect(bytes == (try picture.encoded()))
    #expect(throws: Failure.self) { try picture.write(to: "/nowhere/at/all.png") }
  }
}

@Suite struct ImageSheetTests {
  @Test func placesPicturesInTheirFields() {
    var sheet = ImageSheet(
      rows: 1, columns: 2, imageWidth: 2, imageHeight: 1, zoom: 2, gap: 1, background: 9)
    sheet.draw([1, 2], row: 0, column: 0)
    sheet.draw([3, 4], row: 0, column: 1)
    let edge = [UInt8](repeating: 9, count: 11)
    let line: [UInt8] = [9, 1, 1, 2, 2, 9, 3, 3, 4, 4, 9]
    #expect(sheet.picture.pixels == edge + line + line + edge)
  }

  @Test func separatesChannels() {
    var sheet = ImageSheet(rows: 1, columns: 1, imageWidth: 2, imageHeight: 1, color: .rgb, zoom: 1, gap: 0)
    sheet.draw([1, 2, 3, 4, 5, 6], row: 0, column: 0)
    #expect(sheet.picture.pixels == [1, 3, 5, 2, 4, 6])
    sheet.draw([7, 8], row: 0, column: 0)
    #expect(sheet.picture.pixels == [7, 7, 7, 8, 8, 8])
  }
}
