@testable import Datasets

private let file = ScratchFile("gzip")
nonisolated(unsafe) private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)

/// - Returns: the length of the content; nil where the file is refused.
private func length(_ bytes: [UInt8]) -> Int? {
  file.write(bytes)
  guard let opened = try? OpenFile(reading: file.path), let reader = try? GzipReader(opened) else { return nil }
  var length = 0
  while true {
    guard let count = try? reader.read(into: buffer) else { return nil }
    length += count
    if count == 0 { break }
  }
  // A second pass over the same content comes to the same length.
  reader.restart()
  var again = 0
  while let count = try? reader.read(into: buffer), count > 0 { again += count }
  require(again == length, "a file is read again alike")
  return length
}

/// gzip files: read piece by piece to their end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGzip(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  guard let whole = length(bytes) else { return 0 }
  require(whole <= GzipReader.maximumExpansion * bytes.count, "no content grows by more than deflate can")
  for neighbour in neighbours(bytes) { require(length(neighbour) == nil, "files are whole") }
  return 0
}
