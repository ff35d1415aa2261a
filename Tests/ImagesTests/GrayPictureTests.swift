import Failures
import Foundation
import Testing

@testable import Images

private func failure(_ bytes: [UInt8]) -> Failure? {
  #expect(throws: Failure.self) { try GrayPicture(png: bytes, "p.png") }
}

@Suite struct GrayPictureTests {
  private let picture: PNGFile = {
    var picture = PNGFile(width: 5, height: 3, filledWith: 200)
    for place in picture.pixels.indices { picture.pixels[place] = UInt8(place * 17) }
    return picture
  }()

  @Test func graysAreReadAsTheyWereWritten() throws {
    let read = try GrayPicture(png: picture.encoded(), "p.png")
    #expect((read.width, read.height) == (5, 3))
    #expect(read.grays == picture.pixels)
    #expect(read.opacities.allSatisfy { $0 == 255 })
  }

  @Test func colorsBecomeTheirLuminance() throws {
    var colored = PNGFile(width: 3, height: 1, color: .rgb)
    colored.pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255]
    let grays = try GrayPicture(png: colored.encoded(), "p.png").grays
    #expect(grays[1] > grays[0] && grays[0] > grays[2], "green is lighter than red, red than blue")
  }

  @Test func damagedPicturesNeverTrap() throws {
    let whole = try picture.encoded()
    for length in 0..<whole.count {
      #expect(failure(Array(whole.prefix(length)))?.cause.hasPrefix("p.png: not a good PNG picture: ") == true)
    }
    for place in whole.indices {
      for change: UInt8 in [1, 0x80, 0xff] {
        var bytes = whole
        bytes[place] ^= change
        if let read = try? GrayPicture(png: bytes, "p.png") { #expect(read.grays.count == read.width * read.height) }
      }
    }
  }

  @Test func whatIsNoPictureIsSaidSo() {
    #expect(failure([])?.cause == "p.png: not a good PNG picture: the file is empty")
    #expect(failure(Array("GIF89a, and more".utf8))?.cause.hasSuffix("it does not begin as one does") == true)
  }

  @Test func whatStandsBehindTheEndIsRefused() throws {
    #expect(failure(try picture.encoded() + [0])?.cause.contains("it has no end, or more behind it") == true)
  }

  /// The size stands in the header; nothing is allocated for it.
  @Test(
    arguments: [
      ([0, 3, 0, 0, 0, 3, 0, 0], "it has 196608x196608 pixels"),
      // Fewer than are too many, and more than so short a file can hold.
      ([0, 0, 0x10, 0, 0, 0, 0x10, 0], "bytes are too few for 4096x4096 pixels"),
    ] as [([UInt8], String)])
  func picturesThatAreTooLargeAreRefused(size: [UInt8], reason: String) throws {
    var bytes = try picture.encoded()
    bytes.replaceSubrange(16..<24, with: size)
    var checksum: UInt32 = 0xffff_ffff
    for byte in bytes[12..<29] {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xedb8_8320 : checksum >> 1 }
    }
    bytes.replaceSubrange(29..<33, with: withUnsafeBytes(of: (~checksum).bigEndian, Array.init))
    #expect(failure(bytes)?.cause.contains(reason) == true)
  }
}

@Suite struct PixelFontTests {
  @Test func textStaysInsideThePicture() {
    var picture = PNGFile(width: 10, height: 8)
    picture.write("7>1 99%", x: 4, y: -2, zoom: 2, value: 255)
    #expect(picture.pixels.contains(255))
    var other = PNGFile(width: 10, height: 8)
    other.write("1>7 99%", x: 4, y: -2, zoom: 2, value: 255)
    #expect(other != picture)
  }
}
