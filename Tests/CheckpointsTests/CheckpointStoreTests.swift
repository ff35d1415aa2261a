import Failures
import Foundation
import Testing

@testable import Checkpoints

@Suite struct CheckpointStoreTests {
  private let folder: TemporaryFolder
  private let store: CheckpointStore

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(folder: folder.path + "/run/checkpoints")
  }

  private func write(_ steps: Int...) throws {
    for step in steps { try store.write(drawnCheckpoint(UInt64(step), step: step)) }
  }

  /// The newest good one, and what was said of those that are not.
  private func newest() throws -> (step: Int?, warnings: [String]) {
    var warnings: [String] = []
    let found = try store.newest { warnings.append($0) }
    return (found?.checkpoint.position.step, warnings)
  }

  @Test func namesTellTheStep() {
    #expect(store.path(ofStep: 1200) == store.folder + "/step-00001200.safetensors")
    #expect(store.path(ofStep: 1_234_567_890) == store.folder + "/step-1234567890.safetensors")
  }

  @Test func whereThereIsNoneNoneIsFound() throws {
    #expect(try newest() == (nil, []))
    #expect(try store.steps() == [])
  }

  /// The folder may be a link, to a larger disk; what is removed are the links in it, never what they lead to.
  @Test func linksAreRemovedAndNotFollowed() throws {
    for name in ["run", "disk"] {
      try FileManager.default.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(atPath: store.folder, withDestinationPath: folder.path + "/disk")
    let kept = try folder.file("kept", [1, 2, 3])
    for path in [store.path(ofStep: 1), store.folder + "/.dtrain-1-0.temporary"] {
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: kept)
    }
    try write(2, 3)
    try store.prune(keep: 1, upTo: 3)
    try store.removeTemporaryFiles()
    #expect(try bytes(of: kept) == [1, 2, 3])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/disk") == ["step-00000003.safetensors"])
  }

  @Test func otherFilesAreNotCheckpoints() throws {
    try write(3)
    for name in ["step-4.safetensors", "step-0000000x.safetensors", "step-00000005.safetensors.old", "best.json"] {
      _ = try folder.file("run/checkpoints/" + name, [1])
    }
    #expect(try store.steps() == [3])
    #expect(try newest() == (3, []))
  }

  @Test func whereTheNewestIsTornTheOneBeforeIsTakenAloud() throws {
    try write(2, 10, 99)
    let torn = try bytes(of: store.path(ofStep: 99)).dropLast(5)
    _ = try folder.file("run/checkpoints/step-00000099.safetensors", torn)
    var (step, warnings) = try newest()
    #expect(step == 10)
    #expect(warnings.count == 1 && warnings[0].hasPrefix(store.path(ofStep: 99) + ": "))
    #expect(warnings[0].hasSuffix("; the one before it is taken"))
    for name in ["00000002", "00000010"] { _ = try folder.file("run/checkpoints/step-\(name).safetensors", []) }
    (step, warnings) = try newest()
    #expect(step == nil && warnings.count == 3)
  }

  @Test func theNewestAndTheBestAreKept() throws {
    try write(1, 2, 3, 4, 5, 6)
    try store.noteResult(step: 2, errors: 5, samples: 60)
    try store.noteResult(step: 3, errors: 5, samples: 60)
    try store.noteResult(step: 4, errors: 6, samples: 60)
    // Of a step without a file nothing is noted.
    try store.noteResult(step: 7, errors: 0, samples: 60)
    #expect(store.bestStep == 2)
    try store.prune(keep: 2, upTo: 5)
    #expect(try store.steps() == [2, 4, 5, 6])
    try store.prune(keep: 3, upTo: 6)
    #expect(try store.steps() == [2, 4, 5, 6])
    try store.noteResult(step: 6, errors: 4, samples: 60)
    try store.prune(keep: 1, upTo: 6)
    #expect(try store.steps() == [6])
  }

  @Test func theBestMayBeByValidation() throws {
    try write(1, 2)
    try store.noteResult(step: 1, errors: 5, samples: 60, by: .validation)
    #expect(
      try String(decoding: bytes(of: store.folder + "/best.json"), as: UTF8.self)
        == "{\"step\":1,\"validation_errors\":5,\"validation_samples\":60}\n")
    try store.noteResult(step: 2, errors: 6, samples: 60, by: .validation)
    #expect(store.bestStep == 1)
    try store.noteResult(step: 2, errors: 4, samples: 60, by: .validation)
    #expect(store.bestStep == 2)
  }

  @Test func aDamagedNoteOfTheBestIsNone() throws {
    try write(1)
    for text in ["", "{", "{\"step\":1}", "{\"step\":-1,\"test_errors\":0,\"test_samples\":1}", "\u{0}"] {
      _ = try folder.file("run/checkpoints/best.json", Array(text.utf8))
      #expect(store.bestStep == nil)
    }
  }

  @Test func whatAJobThatWasKilledLeftIsRemoved() throws {
    try write(1)
    _ = try folder.file("run/checkpoints/.dtrain-17-0.temporary", [1])
    try store.removeTemporaryFiles()
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder) == ["step-00000001.safetensors"])
  }

  @Test(.enabled(if: SmallFileSystem.isAvailable, "a file system may not be mounted here"))
  func aFullDiskLeavesTheEarlierCheckpoints() throws {
    let system = try SmallFileSystem(options: "size=64k")
    let store = CheckpointStore(folder: system.path + "/checkpoints")
    try store.write(drawnCheckpoint(1, step: 1))
    let large = [Tensor(name: "W1", shape: [20_000], values: [Float](repeating: 1, count: 20_000))]
    let failure = #expect(throws: Failure.self) {
      try store.write(
        Checkpoint(
          position: .init(step: 2, stepsPerEpoch: 3), seed: 0, configuration: "", weights: large,
          states: [.init(name: "first_moment", tensors: large), .init(name: "second_moment", tensors: large)]))
    }
    #expect(failure?.code == .inputOutput)
    #expect(failure?.cause == "\(store.path(ofStep: 2)): cannot be written: No space left on device")
    #expect(try store.steps() == [1])
    #expect(try Checkpoint(reading: store.path(ofStep: 1)) == drawnCheckpoint(1, step: 1))
  }
}
