import Checkpoints
import Failures
import Testing

@testable import WeightExchange

private func problem(_ bytes: some Sequence<UInt8>) -> FormatProblem? {
  #expect(throws: FormatProblem.self) { try NPZArchive.tensors(in: Array(bytes)) }
}

private func npy(_ header: String, data: Int = 8) -> [UInt8] {
  [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
    + [UInt8](repeating: 0, count: data)
}

@Suite struct ArchiveTests {
  @Test(arguments: [NumPySamples.storedArchive, NumPySamples.deflatedArchive])
  func archivesOfNumPyAreRead(archive: String) throws {
    #expect(sorted(try NPZArchive.tensors(in: decoded(archive))) == NumPySamples.tensors)
  }

  @Test func whatIsWrittenIsRead() throws {
    let tensors = NumPySamples.tensors + [Tensor(name: "x", shape: [], values: [3])]
    let bytes = NPZArchive.bytes(of: tensors)
    #expect(try NPZArchive.tensors(in: bytes) == tensors)
    #expect(NPZArchive.bytes(of: tensors) == bytes)
  }

  @Test(arguments: [
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", nil),
    ("{'shape':(2,),'descr':\"<f4\",'fortran_order':True}", nil),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "takes 12 bytes, but it has 8"),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "only float32 and float64 are read"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "expected a size"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "expected a size"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 0), }", "but it has 8"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4, 0), }", "is none"),
    ("{'descr': '<f4', 'fortran_order': 2, 'shape': (2,), }", "expected True or False"),
    ("{'descr': '<f4', 'fortran_order': False}", "not as NumPy writes it"),
    ("{'descr': '<f4', 'descr': '<f4'}", "unknown or twice there"),
    ("{'descr': '<f4", "expected '"),
    ("", "expected {"),
  ])
  func headersOfArrays(header: String, reason: String?) throws {
    guard let reason else {
      #expect(try NPYFile.tensor(named: "a", from: npy(header)).values == [0, 0])
      return
    }
    let problem = #expect(throws: FormatProblem.self) { try NPYFile.tensor(named: "a", from: npy(header)) }
    #expect(problem?.reason.contains(reason) == true, "\(problem?.reason ?? "")")
  }

  @Test func alteredContentIsFoundByItsChecksum() {
    var bytes = NPZArchive.bytes(of: NumPySamples.tensors)
    bytes[30 + "W1.npy".utf8.count + 128] ^= 1
    #expect(problem(bytes)?.reason == "the checksum of \"W1.npy\" does not hold")
  }

  @Test func sizesThatCannotBeAreNotAllocated() {
    let whole = decoded(NumPySamples.deflatedArchive)
    guard let entry = (0..<whole.count).first(where: { whole[$0...].starts(with: [0x50, 0x4b, 1, 2]) }) else { return }
    var bytes = whole
    bytes.replaceSubrange(entry + 24..<entry + 28, with: [0xff, 0xff, 0xff, 0xff])
    #expect(problem(bytes)?.reason.contains("cannot have 4294967295 bytes in") == true)
  }

  /// A comment is the last thing in an archive, and says how long it is.
  @Test func archivesEndWithTheirComment() throws {
    var bytes = NPZArchive.bytes(of: NumPySamples.tensors)
    #expect(problem(bytes + [0]) != nil)
    bytes[bytes.count - 2] = 3
    #expect(problem(bytes + Array("ab".utf8)) != nil)
    #expect(try NPZArchive.tensors(in: bytes + Array("abc".utf8)) == NumPySamples.tensors)
  }

  @Test func anArchiveIsNotReadInPart() {
    var bytes = NPZArchive.bytes(of: NumPySamples.tensors)
    for place in [bytes.count - 14, bytes.count - 12] { bytes[place] -= 1 }
    #expect(problem(bytes)?.reason == "its directory has more than the 2 files of its last record")
  }

  @Test func whatIsNoArchiveIsRefused() {
    #expect(problem([])?.reason == "it has no directory of files")
    #expect(problem("not an archive at all, but longer".utf8)?.reason == "it has no directory of files")
  }

  /// An archive cut anywhere, or with any byte changed, is read or refused, and never traps.
  @Test(arguments: [NumPySamples.storedArchive, NumPySamples.deflatedArchive])
  func damagedArchivesNeverTrap(archive: String) {
    let whole = decoded(archive)
    for length in 0..<whole.count { #expect(problem(whole.prefix(length)) != nil) }
    for place in whole.indices {
      for change: UInt8 in [1, 0x80, 0xff] {
        var bytes = whole
        bytes[place] ^= change
        if let tensors = try? NPZArchive.tensors(in: bytes) {
          #expect(tensors.allSatisfy { $0.shape.reduce(1, *) == $0.values.count })
        }
      }
    }
  }
}

@Suite struct WeightsFileTests {
  @Test(arguments: ["npz", "pkl"])
  func whatAFormatCannotHoldIsRefused(ending: String) throws {
    let folder = try TemporaryFolder()
    for tensor in [
      Tensor(name: String(repeating: "W", count: 70_000), shape: [1], values: [1]),
      Tensor(name: "W1", shape: [5_000_000_000, 0], values: []),
    ] {
      let failure = #expect(throws: Failure.self) {
        try WeightsFile.write(
          SafetensorsFile(tensors: [tensor], metadata: [:]), to: "\(folder.path)/x.\(ending)", names: .dtrain, from: "w"
        )
      }
      #expect(failure?.code == .badData)
    }
  }

  @Test(arguments: [("x.npz", ParameterNames.dtrain), ("x.pkl", .book), ("x.safetensors", .pytorch)])
  func fewerBitsAreForSafetensorsAlone(file: String, names: ParameterNames) throws {
    let folder = try TemporaryFolder()
    let failure = #expect(throws: Failure.self) {
      try WeightsFile.write(
        SafetensorsFile(tensors: [], metadata: [:]), to: folder.path + "/" + file, names: names, precision: .int8,
        from: "w")
    }
    #expect(failure?.code == .usage)
  }
}
