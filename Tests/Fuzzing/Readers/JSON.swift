@testable import Checkpoints

/// The JSON header of a safetensors file, of whose data there are so many bytes as its first two bytes say.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  guard bytes.count >= 2 else { return 0 }
  let dataSize = Int(bytes[0]) << 8 | Int(bytes[1])
  guard let header = try? SafetensorsHeader(parsing: Array(bytes[2...]), dataSize: dataSize) else { return 0 }
  var next = 0
  for entry in header.entries {
    require(entry.range.lowerBound == next, "tensors lie one behind the other")
    require(entry.range.count == 4 * entry.shape.reduce(1, *), "shapes hold")
    next = entry.range.upperBound
  }
  require(next == dataSize, "the data are covered")
  require(Set(header.entries.map(\.name)).count == header.entries.count, "no name is there twice")
  return 0
}
