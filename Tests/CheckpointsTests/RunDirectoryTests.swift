import Checkpoints
import Failures
import Foundation
import Testing

@Suite struct RunDirectoryTests {
  @Test(
    arguments: [
      ("runs/first/checkpoints/step-00000003.safetensors", "runs/first"), ("checkpoints/best.safetensors", "."),
      ("/a/checkpoints/x", "/a"), ("runs/first/weights.safetensors", nil), ("x", nil), ("/x", nil),
    ] as [(String, String?)]) func aCheckpointTellsItsRun(_ path: String, _ expected: String?)
  {
    #expect(RunDirectory(ofCheckpoint: path)?.path == expected)
  }

  @Test func theFolderAskedForIsMadeWithThoseAboveIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a/b//c"
    let directory = try RunDirectory.create(at: path + "//", configurationFile: "configs/x.yaml")
    #expect(directory.path == path)
    #expect(directory.weights == path + "/weights.safetensors")
    #expect(directory.configuration == path + "/configuration.yaml")
    #expect(directory.metrics == path + "/metrics.jsonl")
    #expect(directory.checkpoints == path + "/checkpoints")
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    try AtomicFile.write("seed: 0\n", to: directory.configuration)

    let again = try RunDirectory.create(at: path, configurationFile: nil)
    #expect(again == directory)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["configuration.yaml"])
  }

  @Test func aNewFolderIsNamedByConfigurationAndTime() throws {
    let folder = try TemporaryFolder()
    for (file, stem) in [
      ("configs/deepconvnet-mnist.yaml", "deepconvnet-mnist"), ("my.run.yaml", "my.run"), ("plain", "plain"),
      ("/a/.yaml", "run"), (nil, "run"),
    ] {
      let directory = try RunDirectory.create(at: nil, configurationFile: file, in: folder.path + "/runs")
      let name = String(directory.path.dropFirst((folder.path + "/runs/").count))
      #expect(name.hasPrefix(stem + "-"))
      let time = name.dropFirst(stem.count + 1).prefix(15)
      #expect(try Regex("20[0-9]{6}-[0-9]{6}").wholeMatch(in: time) != nil, "\(name)")
    }
  }

  @Test func runsOfTheSameSecondHaveFoldersOfTheirOwn() throws {
    let folder = try TemporaryFolder()
    let paths = try (0..<20).map { _ in
      try RunDirectory.create(at: nil, configurationFile: "x.yaml", in: folder.path).path
    }
    #expect(Set(paths).count == 20)
    #expect(try folder.names.count == 20)
  }

  @Test func aFileIsNoFolder() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x", Array("old".utf8))
    for path in [file, file + "/below"] {
      let failure = #expect(throws: Failure.self) { try RunDirectory.create(at: path, configurationFile: nil) }
      #expect(failure?.code == .cannotCreate)
      #expect(failure?.cause.hasPrefix("\(path): cannot be created: ") == true)
    }
    #expect(throws: Failure.self) { try RunDirectory.create(at: nil, configurationFile: nil, in: file) }
    #expect(try bytes(of: file) == Array("old".utf8))
  }

  @Test func aFolderThatCannotBeWrittenIsRefusedAtOnce() throws {
    let folder = try TemporaryFolder()
    let path = geteuid() == 0 ? "/sys" : folder.path
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    let failure = #expect(throws: Failure.self) { try RunDirectory.create(at: path, configurationFile: nil) }
    #expect(failure?.code == .noPermission)
    #expect(failure?.cause.hasPrefix("\(path): no file can be created in it: ") == true)
  }

  @Test func theEmptyPathIsRefused() {
    let failure = #expect(throws: Failure.self) { try RunDirectory.create(at: "", configurationFile: nil) }
    #expect(failure?.code == .cannotCreate)
  }
}
