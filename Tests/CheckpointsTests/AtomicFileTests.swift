import Checkpoints
import Failures
import Foundation
import Testing

private let weights = SafetensorsFile(tensors: twelveLayers, metadata: [:])

/// A file system of 64 KiB in memory, where one may be mounted.
final class SmallFileSystem {
  let path: String
  private let folder: TemporaryFolder

  init(options: String) throws {
    folder = try TemporaryFolder()
    path = folder.path
    try #require(run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]).status == 0)
  }

  deinit { _ = try? run("umount", [path]) }

  static let isAvailable: Bool = {
    guard let system = try? SmallFileSystem(options: "size=64k") else { return false }
    return (try? system.names) != nil
  }()

  var names: [String] { get throws { try folder.names } }
}

@Suite struct AtomicFileTests {
  @Test func aFileIsReplacedWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try AtomicFile.write(String(repeating: "long ", count: 100_000), to: path)
    try AtomicFile.write("short ü\n", to: path)
    #expect(try bytes(of: path) == Array("short ü\n".utf8))
    try AtomicFile.write("", to: path)
    #expect(try bytes(of: path) == [])
    #expect(try folder.names == ["x"])
  }

  @Test func permissionsAreThoseOfAnyNewFile() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("text", to: folder.path + "/x")
    close(open(folder.path + "/y", O_CREAT | O_WRONLY, 0o666))
    func mode(_ name: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)[.posixPermissions] as? Int
    }
    #expect(try mode("x") == mode("y"))
  }

  /// Neither where the file is to be nor where its content is gathered first.
  @Test func noLinkIsWrittenThrough() throws {
    let folder = try TemporaryFolder()
    let target = try folder.file("target", Array("kept".utf8))
    let names = ["x"] + (0..<3).map { ".dtrain-\(getpid())-\($0).temporary" }
    for name in names {
      try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
    }
    try AtomicFile.write("new", to: folder.path + "/x")
    #expect(try bytes(of: target) == Array("kept".utf8))
    #expect(try bytes(of: folder.path + "/x") == Array("new".utf8))
    #expect(
      try FileManager.default.attributesOfItem(atPath: folder.path + "/x")[.type] as? FileAttributeType == .typeRegular)
  }

  @Test func whoeverReadsSeesOneVersionOrTheOther() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    let versions = ["a", "b", "c", "d"].map { String(repeating: $0, count: 200_000) }
    try AtomicFile.write(versions[0], to: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for version in versions {
        group.addTask { for _ in 0..<10 { try AtomicFile.write(version, to: path) } }
      }
      for _ in 0..<50 {
        #expect(versions.contains(String(decoding: try bytes(of: path), as: UTF8.self)))
      }
      try await group.waitForAll()
    }
    #expect(try folder.names == ["x"])
  }

  @Test func aMissingFolderCannotHoldAFile() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("file", Array("old".utf8))
    for path in [folder.path + "/absent/x", file + "/x", ""] {
      let failure = #expect(throws: Failure.self) { try AtomicFile.write("new", to: path) }
      #expect(failure?.code == .cannotCreate)
      #expect(failure?.cause.hasPrefix("\(path): cannot be created: ") == true)
    }
    #expect(try folder.names == ["file"])
  }

  @Test func aFolderIsNotReplaced() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let failure = #expect(throws: Failure.self) { try weights.write(to: path) }
    #expect(failure?.code == .cannotCreate)
    #expect(try folder.names == ["x"])
  }

  @Test func aFolderWithoutPermissionIsNoPermission() throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("x", Array("old".utf8))
    // The superuser may write anywhere but into the kernel's own folders.
    let place = geteuid() == 0 ? "/sys" : folder.path
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    let failure = #expect(throws: Failure.self) { try weights.write(to: place + "/x") }
    #expect(failure?.code == .noPermission)
    #expect(failure?.remedy.contains("choose another folder") == true)
    #expect(try folder.names == ["x"])
  }

  @Test(.enabled(if: SmallFileSystem.isAvailable, "a file system may not be mounted here"))
  func aFullDiskLeavesWhatWasThere() throws {
    let system = try SmallFileSystem(options: "size=64k")
    let path = system.path + "/weights.safetensors"
    try weights.write(to: path)
    let before = try bytes(of: path)
    let large = Tensor(name: "W1", shape: [20_000], values: [Float](repeating: 1, count: 20_000))
    let failure = #expect(throws: Failure.self) {
      try SafetensorsFile(tensors: [large], metadata: [:]).write(to: path)
    }
    #expect(failure?.code == .inputOutput)
    #expect(failure?.cause == "\(path): cannot be written: No space left on device")
    #expect(failure?.remedy == "free some space there, or choose another folder")
    #expect(try bytes(of: path) == before)
    #expect(try system.names == ["weights.safetensors"])
    // What was taken is free again.
    try AtomicFile.write(String(repeating: "x", count: 20_000), to: system.path + "/y")
  }

  @Test(.enabled(if: SmallFileSystem.isAvailable, "a file system may not be mounted here"))
  func aReadOnlyFileSystemIsSaid() throws {
    let system = try SmallFileSystem(options: "size=64k,ro")
    let file = #expect(throws: Failure.self) { try weights.write(to: system.path + "/x") }
    #expect(file?.code == .cannotCreate)
    #expect(file?.cause == "\(system.path)/x: cannot be created: Read-only file system")
    let directory = #expect(throws: Failure.self) {
      try RunDirectory.create(at: system.path, configurationFile: nil)
    }
    #expect(directory?.code == .cannotCreate)
    #expect(directory?.cause == "\(system.path): no file can be created in it: Read-only file system")
  }
}
