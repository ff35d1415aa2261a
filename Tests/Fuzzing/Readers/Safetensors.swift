@testable import Checkpoints

private let file = ScratchFile("safetensors")
private let copy = ScratchFile("safetensors-copy")

private func read(_ bytes: [UInt8]) -> SafetensorsFile? {
  file.write(bytes)
  return try? SafetensorsFile(reading: file.path)
}

/// Files of weights: what is accepted can be written and read again, to the same bits.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSafetensors(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  guard let content = read(bytes) else { return 0 }
  let floats = content.tensors.reduce(0) { $0 + $1.values.count }
  require(4 * floats < bytes.count, "no more numbers than the file holds")
  for tensor in content.tensors { require(tensor.values.count == tensor.shape.reduce(1, *), "shapes hold") }
  require((try? content.write(to: copy.path)) != nil, "what was read can be written")
  guard let again = try? SafetensorsFile(reading: copy.path) else {
    require(false, "what was written can be read")
    return 0
  }
  require(again.metadata == content.metadata, "texts stay")
  require(again.tensors.map(\.name) == content.tensors.map(\.name), "names stay")
  for (first, second) in zip(content.tensors, again.tensors) {
    require(first.values.map(\.bitPattern) == second.values.map(\.bitPattern), "bits stay")
  }
  for neighbour in neighbours(bytes) { require(read(neighbour) == nil, "files are whole") }
  return 0
}
