@testable import Checkpoints

private let file = ScratchFile("checkpoint")
private let copy = ScratchFile("checkpoint-copy")

/// Checkpoints, as they are and with a checksum that was made to hold, so that what lies behind it is reached too.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCheckpoint(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  file.write(bytes)
  if (try? Checkpoint(reading: file.path)) != nil {
    for neighbour in neighbours(bytes) {
      file.write(neighbour)
      require((try? Checkpoint(reading: file.path)) == nil, "files are whole")
    }
    file.write(bytes)
  }
  guard let content = try? SafetensorsFile(reading: file.path) else { return 0 }
  require((try? content.withChecksum.write(to: copy.path)) != nil, "what was read can be written")
  guard let checkpoint = try? Checkpoint(reading: copy.path) else { return 0 }
  require(checkpoint.position.step >= 0 && checkpoint.position.epoch >= 0, "a run does not begin before its start")
  for state in checkpoint.states {
    require(checkpoint.weights.map(\.shape) == state.tensors.map(\.shape), "each weight has its place in each state")
  }
  require(checkpoint.stateDigest.bytes.count == 32, "its digest can be taken")
  return 0
}
