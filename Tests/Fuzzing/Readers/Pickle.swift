@testable import Checkpoints
@testable import WeightExchange

/// Pickles of arrays: what is accepted is a whole file, and is written and read again to the same bits.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPickle(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  guard let tensors = try? PickleReader.arrays(in: bytes) else { return 0 }
  requireArrays(tensors, from: bytes.count)
  for neighbour in neighbours(bytes) {
    require((try? PickleReader.arrays(in: neighbour)) == nil, "files are whole")
  }
  requireSame(try? PickleReader.arrays(in: PickleWriter.bytes(of: tensors)), tensors)
  return 0
}
