import Checkpoints
import Failures
import Foundation
import Testing

@testable import WeightExchange

/// What is said of a pickle of these bytes.
private func problem(_ bytes: some Sequence<UInt8>) -> FormatProblem? {
  #expect(throws: FormatProblem.self) { try PickleReader.arrays(in: Array(bytes)) }
}

@Suite struct PickleTests {
  @Test(arguments: 0...5)
  func picklesOfNumPyAreRead(version: Int) throws {
    let tensors = try PickleReader.arrays(in: decoded(NumPySamples.pickles[version]))
    #expect(sorted(tensors) == NumPySamples.tensors)
  }

  @Test func whatIsWrittenIsRead() throws {
    let tensors = NumPySamples.tensors + [Tensor(name: "empty", shape: [0, 4], values: [])]
    #expect(try PickleReader.arrays(in: PickleWriter.bytes(of: tensors)) == tensors)
  }

  /// A pickle can ask for any function of Python. None is called, and the message says which it was, and where.
  @Test(arguments: [
    ("cos\nsystem\n(S'touch /tmp/harm'\ntR.", "os.system", 0),
    ("\u{80}\u{02}cbuiltins\neval\n.", "builtins.eval", 2),
    ("(cposix\nsystem\n", "posix.system", 1),
    ("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nload\n", "numpy.load", 36),
    ("cnumpy\nmemmap\n.", "numpy.memmap", 0),
  ])
  func nothingIsRun(pickle: String, name: String, offset: Int) {
    let problem = problem(pickle.unicodeScalars.map { UInt8($0.value) })
    #expect(problem?.reason.hasPrefix("the pickle asks for \(name), ") == true)
    #expect(problem?.offset == offset)
  }

  /// The same by protocol 4's instruction, whose names come from the stack.
  @Test func nothingIsRunByItsShortForm() {
    let problem = problem([0x80, 4, 0x8c, 2] + Array("os".utf8) + [0x8c, 6] + Array("system".utf8) + [0x93, 0x2e])
    #expect(problem?.reason.contains("os.system") == true)
    #expect(problem?.offset == 14)
  }

  @Test(arguments: [
    ("", "the pickle ends before its last instruction", 0),
    ("N", "the pickle ends before its last instruction", 1),
    ("N.", "the pickle holds no dict", 1),
    (".", "an instruction finds nothing on the stack", 0),
    ("}.}.", "2 bytes stand behind the pickle's end", 1),
    ("(.", "an instruction finds nothing on the stack", 1),
    ("N(0", "an instruction finds nothing on the stack", 2),
    ("t", "an instruction finds no mark on the stack", 0),
    ("h\u{07}.", "nothing was remembered under the number 7", 0),
    ("}(I1\nu.", "a key of a dict has no value", 5),
    ("N(I1\nI2\nu.", "entries are set in what is no dict", 8),
    ("}I1\nI2\ns.", "a key of the dict is no text", 8),
    ("}(S'a'\nI1\nu.", "\"a\" is no array", 11),
    ("}(S'a'\nS'a'\nu.", "\"a\" is no array", 13),
    ("I12345678901234567890123\n.", "an integer is none, or too large", 0),
    ("Ix\n.", "an integer is none, or too large", 0),
    ("I1", "a line has no end", 1),
    ("NN R", "the instruction 0x20 is none that a dict of arrays needs", 2),
    ("NNR", "the pickle calls what is none of NumPy's functions", 2),
    ("NNb", "a state is set in what is no array", 2),
    ("\u{80}\u{06}.", "the pickle's protocol is 6, and 0 to 5 are read", 0),
    ("X\u{ff}\u{ff}\u{ff}\u{7f}abc", "a length is 2147483647, but only 3 bytes are left", 1),
    ("T\u{ff}\u{ff}\u{ff}\u{ff}abc", "a length is -1, but only 3 bytes are left", 1),
    (
      "cnumpy\ndtype\n(S'O8'\nI00\nI01\ntR.",
      "the elements of an array are \"O8\", and only float32 and float64 are read", 29
    ),
  ])
  func badPicklesAreRefused(pickle: String, reason: String, offset: Int) {
    let expected = FormatProblem(reason, at: offset)
    #expect(problem(pickle.unicodeScalars.map { UInt8($0.value) }) == expected)
  }

  /// A pickle can name one array many times; what it takes stays within the file's size.
  @Test func repetitionsTakeNoMemory() {
    var bytes = PickleWriter.bytes(of: [Tensor(name: "a", shape: [1000], values: [Float](repeating: 1, count: 1000))])
    bytes.removeLast(2)
    // Remembers the array, and enters it twice.
    bytes += [0x71, 0, 0x58, 1, 0, 0, 0, UInt8(ascii: "b"), 0x68, 0, 0x75, 0x2e]
    #expect(problem(bytes)?.reason == "the arrays have more bytes than the file")
  }

  /// Tuples in tuples, as deep as the file is long, neither trap when they are read nor when they go.
  @Test func deepNestingDoesNotTrap() {
    let bytes = [UInt8(ascii: "N")] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2e]
    #expect(problem(bytes)?.reason == "the pickle holds no dict")
  }

  /// A pickle cut anywhere, or with any byte changed, is read or refused, and never traps.
  @Test(arguments: 0...5)
  func damagedPicklesNeverTrap(version: Int) {
    let whole = decoded(NumPySamples.pickles[version])
    for length in 0..<whole.count { #expect(problem(whole.prefix(length)) != nil) }
    for place in whole.indices {
      for change: UInt8 in [1, 0x20, 0x80, 0xff] {
        var bytes = whole
        bytes[place] ^= change
        if let tensors = try? PickleReader.arrays(in: bytes) {
          #expect(tensors.allSatisfy { $0.shape.reduce(1, *) == $0.values.count })
        }
      }
    }
  }

  @Test func theMessageNamesFileAndByte() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("harm.pkl", "cos\nsystem\n.".utf8)
    let failure = #expect(throws: Failure.self) { try WeightsFile.read(file) }
    #expect(failure?.code == .badData)
    #expect(
      failure?.cause.hasPrefix(
        "\(file): not a pickle of NumPy arrays that can be read: byte 0: the pickle asks for os.system")
        == true)
  }
}
