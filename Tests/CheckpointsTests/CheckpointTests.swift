import Digests
import Failures
import Foundation
import Testing

@testable import Checkpoints

/// A checkpoint of a few tensors, drawn from a seed.
func drawnCheckpoint(
  _ seed: UInt64, step: Int = 7, states names: [String] = ["first_moment", "second_moment"]
) -> Checkpoint {
  var numbers = TestNumbers(seed: seed)
  let shapes = (1...numbers.next(1...11)).flatMap { number in
    [("W\(number)", [numbers.next(1...4), numbers.next(1...5)]), ("b\(number)", [numbers.next(1...3)])]
  }
  func tensors() -> [Tensor] {
    shapes.map { name, shape in
      Tensor(
        name: name, shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Float(bitPattern: numbers.next() >> 2) })
    }
  }
  return Checkpoint(
    position: Checkpoint.Position(step: step, stepsPerEpoch: 3), seed: .max - seed,
    configuration: "seed: \(seed)\ntraining:\n  batch: 10\n",
    best: seed % 2 == 0 ? nil : Checkpoint.Best(step: 4, errors: 12), weights: tensors(),
    states: names.map { Checkpoint.State(name: $0, tensors: tensors()) })
}

@Suite struct CheckpointTests {
  @Test(arguments: 0..<30 as Range<UInt64>) func whatIsWrittenIsRead(_ seed: UInt64) throws {
    let folder = try TemporaryFolder()
    let checkpoint = drawnCheckpoint(seed)
    let paths = ["a", "b"].map { "\(folder.path)/\($0)" }
    for path in paths { try checkpoint.write(to: path) }
    let read = try Checkpoint(reading: paths[0])
    #expect(read == checkpoint)
    #expect(read.stateDigest == checkpoint.stateDigest)
    #expect(read.position.epoch == 2 && read.position.batch == 1)
    #expect(try bytes(of: paths[0]) == bytes(of: paths[1]))
  }

  @Test func theStateDigestIsOfWeightsMomentsAndStep() throws {
    let checkpoint = drawnCheckpoint(1)
    var bytes: [UInt8] = []
    for tensor in checkpoint.weights + checkpoint.states.flatMap(\.tensors) {
      tensor.values.withUnsafeBytes { bytes += $0 }
    }
    #expect(checkpoint.states.map(\.name) == ["first_moment", "second_moment"])
    #expect(checkpoint.weightsDigest == bytes.prefix(bytes.count / 3).withUnsafeBytes { SHA256.of($0) })
    bytes += [7, 0, 0, 0, 0, 0, 0, 0]
    #expect(checkpoint.stateDigest == bytes.withUnsafeBytes { SHA256.of($0) })
    #expect(drawnCheckpoint(1, step: 8).stateDigest != checkpoint.stateDigest)
  }

  @Test func whateverAnOptimizerKeepsIsWrittenAndRead() throws {
    let folder = try TemporaryFolder()
    let checkpoint = drawnCheckpoint(7, states: ["velocity", "average"])
    try checkpoint.write(to: folder.path + "/x")
    let read = try Checkpoint(reading: folder.path + "/x")
    #expect(read == checkpoint)
    #expect(read.state(named: "velocity") == checkpoint.states[1].tensors)
    #expect(read.state(named: "first_moment") == nil)
    // Whoever evaluates a checkpoint wants the weights that the run evaluated.
    let evaluated = try SafetensorsFile(weightsIn: folder.path + "/x")
    #expect(evaluated.tensors == checkpoint.state(named: "average"))
    let inspection = try WeightsInspection(of: folder.path + "/x")
    #expect(inspection.digest == checkpoint.weightsDigest)
    #expect(inspection.averageDigest == WeightsDigest.of(evaluated.tensors))
  }

  @Test func everyFlippedBitIsRecognised() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try drawnCheckpoint(3).write(to: path)
    let good = try bytes(of: path)
    for place in good.indices {
      var bad = good
      bad[place] ^= 1 << UInt8(place % 8)
      let failure = #expect(throws: Failure.self) { try Checkpoint(reading: folder.file("x", bad)) }
      #expect(failure?.code == .badData, "byte \(place)")
    }
  }

  @Test func aFileThatWasCutShortIsRecognised() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try drawnCheckpoint(4).write(to: path)
    let good = try bytes(of: path)
    for length in stride(from: 0, to: good.count, by: 13) {
      let failure = #expect(throws: Failure.self) { try Checkpoint(reading: folder.file("x", good.prefix(length))) }
      #expect(failure?.code == .badData)
    }
    // A file system may give zeros where data did not reach the disk.
    let zeros = good.prefix(good.count - 8) + [UInt8](repeating: 0, count: 8)
    #expect(throws: Failure.self) { try Checkpoint(reading: folder.file("x", zeros)) }
  }

  @Test func anotherFormOfTheSameHeaderIsAnAlteration() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try drawnCheckpoint(5).write(to: path)
    let (file, header) = try SafetensorsFile.read(path)
    #expect(file.isUnaltered(header: header))
    #expect(!file.isUnaltered(header: header.map { $0 == UInt8(ascii: "W") ? UInt8(ascii: "w") : $0 }))
  }

  @Test func weightsAreTakenFromEitherKindOfFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    let checkpoint = drawnCheckpoint(6)
    try checkpoint.write(to: path)
    let weights = try SafetensorsFile(weightsIn: path)
    #expect(weights.tensors == checkpoint.weights)
    #expect(weights.configuration == checkpoint.configuration)
    let alone = SafetensorsFile(weights: checkpoint.weights, step: 7, epoch: 2, configuration: "")
    try alone.write(to: path)
    #expect(try SafetensorsFile(weightsIn: path) == alone)
    let failure = #expect(throws: Failure.self) { try Checkpoint(reading: path) }
    #expect(failure?.cause.contains("no checkpoint") == true)
  }
}
