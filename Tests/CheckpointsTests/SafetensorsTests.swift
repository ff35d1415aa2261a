import Checkpoints
import Failures
import Foundation
import Testing

@Suite struct SafetensorsTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func whatIsWrittenIsRead(seed: UInt64) throws {
    var numbers = TestNumbers(seed: seed)
    let tensors = (0..<numbers.next(0...9)).map { index in
      let shape = (0..<numbers.next(0...5)).map { _ in numbers.next(0...6) }
      let values = (0..<shape.reduce(1, *)).map { _ in Float(bitPattern: numbers.next()) }
      return Tensor(
        name: ["W", "b", "", "ü \"\\\n\u{1}/"][numbers.next(0...3)] + "\(index)", shape: shape, values: values)
    }
    var metadata: [String: String] = [:]
    for _ in 0..<numbers.next(0...4) {
      metadata["key \(numbers.next())\n"] = "\u{7f}\u{0}\t漢\u{1f600}\"\\ \(numbers.next())"
    }
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    let file = SafetensorsFile(tensors: tensors, metadata: metadata)
    try file.write(to: path)
    let read = try SafetensorsFile(reading: path)
    #expect(read.metadata == metadata)
    #expect(read.tensors.map(\.name) == file.tensors.map(\.name))
    #expect(read.tensors.map(\.shape) == file.tensors.map(\.shape))
    #expect(read.tensors.map { $0.values.map(\.bitPattern) } == file.tensors.map { $0.values.map(\.bitPattern) })
    #expect(try folder.names == ["x.safetensors"])
  }

  @Test func theBytesAreThoseOfTheFormat() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    try SafetensorsFile(
      tensors: [
        Tensor(name: "b1", shape: [1], values: [-2]), Tensor(name: "W1", shape: [1, 2], values: [1, 0.5]),
        Tensor(name: "W10", shape: [], values: [0]),
      ],
      metadata: ["step": "30", "epoch": "0"]
    ).write(to: path)
    let header = """
      {"__metadata__":{"epoch":"0","step":"30"},"W1":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},\
      "b1":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"W10":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}
      """
    let padding = (8 - header.utf8.count % 8) % 8
    #expect(padding > 0)
    let length = header.utf8.count + padding
    let data: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0]
    #expect(
      try bytes(of: path) == [UInt8(length & 255), UInt8(length >> 8), 0, 0, 0, 0, 0, 0] + Array(header.utf8)
        + [UInt8](repeating: 0x20, count: padding) + data)
  }

  @Test func equalContentsAreEqualFiles() throws {
    let folder = try TemporaryFolder()
    var files: Set<[UInt8]> = []
    for run in 0..<8 {
      var tensors = twelveLayers
      if run > 0 { tensors.shuffle() }
      // A dictionary of another capacity has its members in another order.
      var metadata = [String: String](minimumCapacity: 1 << run)
      for index in 0..<20 { metadata["key\(index)"] = "\(index)" }
      let path = folder.path + "/\(run)"
      try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
      files.insert(try bytes(of: path))
    }
    #expect(files.count == 1)
  }

  @Test func filesOfOtherProgramsAreRead() throws {
    // Another order of members and data, blanks, escapes, no metadata, a tensor without elements.
    let header = """
       {"b1" : {"shape":[ 2 ] , "data_offsets":[ 8 , 16 ],"dtype":"F32"},\r\n\t"W\\u0031":{"data_offsets":[0,8],\
      "dtype":"\\u0046\\u00332","shape":[2,1]}, "\\ud83d\\ude00\\/":{"dtype":"F32","shape":[3,0],"data_offsets":[8,8]}}
      """.drop { $0 == " " }
    let folder = try TemporaryFolder()
    let file = try folder.file("x", safetensors(String(header), data: [UInt8](repeating: 0, count: 16)))
    let read = try SafetensorsFile(reading: file)
    #expect(read.tensors.map(\.name) == ["W1", "b1", "😀/"])
    #expect(read.tensors.map(\.shape) == [[2, 1], [2], [3, 0]])
    #expect(read.metadata.isEmpty && read.step == nil && read.epoch == nil && read.configuration == nil)
  }

  @Test func whatARunWritesBesideTheWeightsIsFound() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    let file = SafetensorsFile(weights: twelveLayers, step: 12_000, epoch: 20, configuration: "seed: 0\n")
    try file.write(to: path)
    let read = try SafetensorsFile(reading: path)
    #expect(read == file)
    #expect(read.step == 12_000 && read.epoch == 20 && read.configuration == "seed: 0\n")
  }

  @Test func tensorsAreMatchedWithANetwork() throws {
    let file = SafetensorsFile(tensors: twelveLayers, metadata: [:])
    let expected = twelveLayers.reversed().map { (name: $0.name, shape: $0.shape) }
    #expect(try file.tensors(matching: expected, from: "x") == twelveLayers.reversed())

    func cause(_ change: (inout [(name: String, shape: [Int])]) -> Void) -> String? {
      var changed = Array(expected)
      change(&changed)
      let failure = #expect(throws: Failure.self) { try file.tensors(matching: changed, from: "x") }
      #expect(failure?.code == .badData)
      return failure?.cause
    }
    #expect(cause { $0.append(("W13", [1])) } == "x: the tensor W13 is missing")
    #expect(cause { $0.removeFirst() } == "x: the network has no tensor \"b12\"")
    #expect(
      cause { $0[1].shape = [3, 2] } == "x: the tensor W12 has the shape [2, 3], but the network's has [3, 2]")
  }

  @Test func whatCannotBeReadBackIsNotWritten() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor(name: "W1", shape: [2], values: [1, 2])
    let bad = [
      [tensor, tensor], [Tensor(name: "W1", shape: [3], values: [1, 2])],
      [Tensor(name: "__metadata__", shape: [1], values: [1])], [Tensor(name: "W1", shape: [-2], values: [1, 2])],
      [Tensor(name: "W1", shape: [Int.max, 2], values: [])],
    ]
    for tensors in bad {
      let failure = #expect(throws: Failure.self) {
        try SafetensorsFile(tensors: tensors, metadata: [:]).write(to: folder.path + "/x")
      }
      #expect(failure?.code == .software)
    }
    #expect(try folder.names == [])
  }
}

/// A file of this header.
func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8) + data
}
