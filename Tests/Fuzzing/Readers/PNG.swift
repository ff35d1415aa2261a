import CZlib

@testable import Images

/// Pictures, as they are and with checksums that were made to hold, so that what lies behind them is reached too.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPNG(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  for file in [bytes, withChecksums(bytes)] {
    guard let picture = try? GrayPicture(png: file, "input") else { continue }
    require(picture.grays.count == picture.width * picture.height, "a gray for each pixel")
    require(picture.opacities.count == picture.grays.count, "an opacity for each pixel")
    require(picture.grays.count <= 8 * 1032 * file.count, "no more pixels than the file explains")
    for neighbour in neighbours(file) {
      require((try? GrayPicture(png: neighbour, "input")) == nil, "files are whole")
    }
  }
  return 0
}

/// The file with the CRC-32 of each of its chunks put right.
private func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
  var bytes = bytes
  var start = 8
  while start + 12 <= bytes.count {
    let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start - 12 else { break }
    let content = bytes[start + 4..<start + 8 + length]
    let checksum = content.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
    for index in 0..<4 {
      bytes[start + 8 + length + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt(index)))
    }
    start += 12 + length
  }
  return bytes
}
