import Failures
import Foundation
import Testing

@testable import Checkpoints

/// What a long piece of work finds out before it begins about the file that its result is to go to.
@Suite struct ProbeTests {
  @Test func missingFoldersAreMadeAndNothingElse() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.probe(for: folder.path + "/a/b/trace.json")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b").isEmpty)
    try AtomicFile.write("x", to: folder.path + "/a/b/trace.json")
    try AtomicFile.probe(for: folder.path + "/a/b/trace.json")
    #expect(try String(contentsOfFile: folder.path + "/a/b/trace.json", encoding: .utf8) == "x")
  }

  @Test func aPlaceThatCannotHoldAFileIsTold() throws {
    let folder = try TemporaryFolder()
    let taken = #expect(throws: Failure.self) { try AtomicFile.probe(for: folder.path) }
    #expect(taken?.code == .cannotCreate && taken?.cause.hasPrefix(folder.path) == true)
    let file = #expect(throws: Failure.self) { try AtomicFile.probe(for: "/dev/null/trace.json") }
    #expect(file?.code == .cannotCreate && file?.cause.hasPrefix("/dev/null") == true)
  }

  @Test func piecesOfAFileComeInTheirOrderOrNotAtAll() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/text"
    try AtomicFile.write(to: path) { (file) throws(Failure) in
      for piece in [[UInt8]("one ".utf8), [], [UInt8]("two".utf8)] { try file.append(piece.span.bytes) }
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "one two")
    #expect(throws: Failure.self) {
      try AtomicFile.write(to: path) { (file) throws(Failure) in
        try file.append([UInt8]("three".utf8).span.bytes)
        throw Failure(.software, "stop", remedy: "")
      }
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "one two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["text"])
  }
}
