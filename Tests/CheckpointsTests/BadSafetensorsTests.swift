import Checkpoints
import Failures
import Foundation
import Testing

private func failure(reading path: String) -> Failure? {
  #expect(throws: Failure.self) { try SafetensorsFile(reading: path) }
}

/// What is said of a file of this header, after the path.
private func reason(header: String, data: Int = 8) throws -> String? {
  let folder = try TemporaryFolder()
  let file = try folder.file("x", safetensors(header, data: [UInt8](repeating: 0, count: data)))
  let failure = failure(reading: file)
  #expect(failure?.code == .badData)
  let prefix = "\(file): not a good safetensors file: "
  #expect(failure?.cause.hasPrefix(prefix) == true)
  return failure.map { String($0.cause.dropFirst(prefix.count)) }
}

/// The header of one tensor with these fields.
private func one(_ fields: String) -> String { "{\"W1\":{\(fields)}}" }

@Suite struct BadSafetensorsTests {
  private static let good = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"

  private static let json: [(String, String)] = [
    ("", "byte 8: expected {, found the end"),
    ("[]", "byte 8: expected {, found ["),
    ("{", "byte 9: expected \", found the end"),
    ("{\"W1\":", "byte 14: expected {, found the end"),
    (one(good) + "x", "byte 63: expected the end, found x"),
    (one(good) + "\0", "byte 63: expected the end, found the byte 0"),
    (one(good + ","), "byte 62: expected \", found }"),
    (one(good.replacingOccurrences(of: "\"dtype\":", with: "\"dtype\"")), "byte 22: expected :, found \""),
    (one("\"dtype\":32"), "byte 23: expected \", found 3"),
    ("{\"__metadata__\":{\"step\":3}}", "byte 32: expected \", found 3"),
    ("{\"__metadata__\":[]}", "byte 24: expected {, found ["),
    ("{\"W1", "byte 9: a text has no end"),
    ("{\"W1\\", "byte 12: a text has no end"),
    ("{\"W\n1\":1}", "byte 11: a text holds a control character"),
    ("{\"W\\x\":1}", "byte 11: a text holds an escape that is none"),
    ("{\"W\\u+123\":1}", "byte 11: a text holds an escape that is none"),
    ("{\"W\\ud83d\":1}", "byte 11: a text holds an escape that is none"),
    ("{\"W\\ud83d\\u0041\":1}", "byte 11: a text holds an escape that is none"),
    ("{\"W\\ude00\":1}", "byte 11: a text holds an escape that is none"),
    ("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "byte 33: the name \"a\" is there twice"),
    ("{\"W1\":{\(good)},\"W1\":{\(good)}}", "byte 63: the name \"W1\" is there twice"),
    (one(good + ",\"dtype\":\"F32\""), "byte 62: the name \"dtype\" is there twice"),
  ]

  @Test(arguments: json)
  func badJSON(header: String, expected: String) throws {
    #expect(try reason(header: header) == expected)
  }

  private static let tensors: [(fields: String, expected: String)] = [
    ("\"dtype\":\"F32\",\"shape\":[2]", "dtype, shape or data_offsets is missing"),
    (good + ",\"layout\":\"x\"", "the field \"layout\" is unknown"),
    (good.replacingOccurrences(of: "F32", with: "F64"), "its type is \"F64\", and only F32, F16, BF16, I8 are read"),
    (
      good.replacingOccurrences(of: "F32", with: "F\\u001b"),
      "its type is \"F\\u{1B}\", and only F32, F16, BF16, I8 are read"
    ),
    (good.replacingOccurrences(of: "[2]", with: "[3]"), "its shape [3] takes 12 bytes, but it has 8"),
    (good.replacingOccurrences(of: "[2]", with: "[2,0]"), "its shape [2, 0] takes 0 bytes, but it has 8"),
    (
      good.replacingOccurrences(of: "[2]", with: "[4611686018427387904]"),
      "its shape [4611686018427387904] is too large"
    ),
    (
      good.replacingOccurrences(of: "[2]", with: "[4294967296,4294967296]"),
      "its shape [4294967296, 4294967296] is too large"
    ),
    (
      good.replacingOccurrences(of: "[2]", with: "[1000000000000]"),
      "its shape [1000000000000] takes 4000000000000 bytes, but it has 8"
    ),
    (good.replacingOccurrences(of: "0,8", with: "8,0"), "data_offsets are no range"),
    (good.replacingOccurrences(of: "0,8", with: "8"), "data_offsets are no range"),
    (good.replacingOccurrences(of: "0,8", with: ""), "data_offsets are no range"),
    (good.replacingOccurrences(of: "0,8", with: "8,16"), "its data end at byte 16 of 8 that there are"),
    (
      good.replacingOccurrences(of: "0,8", with: "0,9223372036854775807"),
      "its data end at byte 9223372036854775807 of 8 that there are"
    ),
  ]

  @Test(arguments: tensors)
  func badTensors(fields: String, expected: String) throws {
    #expect(try reason(header: one(fields)) == "byte 14: tensor \"W1\": " + expected)
  }

  private static let numbers: [(fields: String, expected: String)] = [
    ("\"shape\":[-1]", "byte 24: expected an integer that is not negative, found -"),
    ("\"shape\":[1.5]", "byte 25: expected , or ], found ."),
    ("\"shape\":[1e2]", "byte 25: expected , or ], found e"),
    ("\"shape\":[01]", "byte 24: an integer begins with 0"),
    ("\"shape\":[9223372036854775808]", "byte 24: an integer is too large"),
    ("\"shape\":[null]", "byte 24: expected an integer that is not negative, found n"),
    ("\"shape\":[[2]]", "byte 24: expected an integer that is not negative, found ["),
    ("\"shape\":[1,1,1,1,1,1,1,1,2]", "byte 40: a list has more than 8 elements"),
    ("\"data_offsets\":[0,4,8]", "byte 35: a list has more than 2 elements"),
  ]

  @Test(arguments: numbers)
  func badNumbers(fields: String, expected: String) throws {
    #expect(try reason(header: one(fields)) == expected)
  }

  @Test(arguments: [
    ([0, 4, 8, 12], 12, "between tensor \"W1\" and tensor \"W2\" lie 4 bytes of no tensor"),
    ([4, 8, 8, 12], 12, "between the start and tensor \"W1\" lie 4 bytes of no tensor"),
    ([0, 4, 0, 4], 4, "the data of tensor \"W2\" overlap those of tensor \"W1\""),
    ([2, 6, 0, 4], 6, "the data of tensor \"W1\" overlap those of tensor \"W2\""),
    ([0, 4, 4, 8], 10, "behind tensor \"W2\" lie 2 bytes of no tensor"),
  ])
  func dataThatAreNotCoveredOnce(offsets: [Int], size: Int, expected: String) throws {
    let header = """
      {"W1":{"dtype":"F32","shape":[1],"data_offsets":[\(offsets[0]),\(offsets[1])]},\
      "W2":{"dtype":"F32","shape":[1],"data_offsets":[\(offsets[2]),\(offsets[3])]}}
      """
    #expect(try reason(header: header, data: size) == expected)
  }

  @Test(
    arguments: [
      ([], "it has 0 bytes, too few for the length of a header"),
      ([1, 0, 0, 0, 0, 0, 0], "it has 7 bytes, too few for the length of a header"),
      ([2, 0, 0, 0, 0, 0, 0, 0, 0x7b], "its header should have 2 bytes, but only 1 follow"),
      (
        [255, 255, 255, 255, 255, 255, 255, 255, 0x7b, 0x7d],
        "its header should have 18446744073709551615 bytes, but only 2 follow"
      ),
      ([4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22], "byte 9: a text is not UTF-8"),
    ] as [([UInt8], String)])
  func badLengths(content: [UInt8], expected: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x", content)
    let failure = failure(reading: file)
    #expect(failure?.code == .badData)
    #expect(failure?.cause == "\(file): not a good safetensors file: \(expected)")
  }

  @Test func aHeaderLargerThanTheFormatAllowsIsNotRead() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x", withUnsafeBytes(of: UInt64(100_000_001).littleEndian, Array.init))
    #expect(truncate(file, 100_000_100) == 0)
    #expect(failure(reading: file)?.cause.contains("more than the 100000000 allowed") == true)
  }

  @Test func whatIsNoFileIsNoInput() throws {
    let folder = try TemporaryFolder()
    #expect(failure(reading: folder.path + "/absent")?.code == .noInput)
    #expect(failure(reading: folder.path)?.cause == "\(folder.path): this is a folder")
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(failure(reading: pipe)?.cause == "\(pipe): this is no regular file")
  }

  /// A file cut anywhere, or with any one byte changed, is read as a file that the format allows or refused whole.
  @Test func damagedFilesNeverTrap() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try SafetensorsFile(weights: Array(twelveLayers.prefix(4)), step: 1, epoch: 0, configuration: "seed: 0").write(
      to: path)
    let whole = try bytes(of: path)
    for length in stride(from: 0, to: whole.count, by: 7) {
      #expect(failure(reading: try folder.file("cut", whole.prefix(length)))?.code == .badData)
    }
    var numbers = TestNumbers(seed: 1)
    for place in 0..<min(whole.count, 420) {
      var changed = whole
      changed[place] ^= UInt8(truncatingIfNeeded: numbers.next() | 1)
      let file = try folder.file("changed", changed)
      do {
        let read = try SafetensorsFile(reading: file)
        #expect(read.tensors.count == 4, "byte \(place)")
        #expect(read.tensors.allSatisfy { $0.shape.reduce(1, *) == $0.values.count })
      } catch let failure {
        #expect(failure.code == .badData)
        #expect(!failure.description.contains("\n"))
      }
    }
  }
}
