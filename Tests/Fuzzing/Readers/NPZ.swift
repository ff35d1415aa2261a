@testable import Checkpoints
@testable import WeightExchange

/// Archives of arrays; and the same bytes as one array, in an archive whose checksums hold.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNPZ(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  if let tensors = try? NPZArchive.tensors(in: bytes) {
    // deflate makes 1032 bytes of one at most.
    requireArrays(tensors, from: 1032 * bytes.count)
    for neighbour in neighbours(bytes) { require((try? NPZArchive.tensors(in: neighbour)) == nil, "files are whole") }
    requireSame(try? NPZArchive.tensors(in: NPZArchive.bytes(of: tensors)), tensors)
  }
  var archive = ZipWriter()
  archive.add("a.npy", bytes)
  guard let tensors = try? NPZArchive.tensors(in: archive.finished()) else { return 0 }
  requireArrays(tensors, from: bytes.count)
  for neighbour in neighbours(bytes) {
    require((try? NPYFile.tensor(named: "a", from: neighbour)) == nil, "files are whole")
  }
  requireSame((try? NPYFile.tensor(named: "a", from: NPYFile.bytes(of: tensors[0]))).map { [$0] }, tensors)
  return 0
}
