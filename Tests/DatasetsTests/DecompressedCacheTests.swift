import Failures
import Foundation
import Testing

@testable import Datasets

@Suite("The cache of decompressed files")
struct DecompressedCacheTests {
  let folder: TemporaryFolder
  let images: String
  let labels: String
  let cache: DecompressedCache
  private let pixels: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    pixels = try folder.writeDataset(in: "data", count: 500).pixels
    images = folder("data/train-images-idx3-ubyte.gz")
    labels = folder("data/train-labels-idx1-ubyte.gz")
    cache = DecompressedCache(folder: folder("cache"))
  }

  private func open(_ cache: DecompressedCache? = nil) throws -> IDXDataset {
    try openPair(images, labels, cache: cache ?? self.cache)
  }

  private func expectAllPixels(of dataset: IDXDataset, _ where: String) {
    let read = (0..<dataset.count).flatMap { dataset.sample($0).pixels }
    #expect(read == pixels, "\(`where`)")
  }

  /// The number of the file on its file system: another one after a rebuild.
  private func inode(_ name: String) throws -> UInt64 {
    let attributes = try FileManager.default.attributesOfItem(atPath: folder(name))
    return (attributes[.systemFileNumber] as? UInt64) ?? 0
  }

  @Test("has one entry a file, whose second user builds nothing")
  func reused() throws {
    expectAllPixels(of: try open(), "built")
    let names = try folder.names(in: "cache")
    #expect(names.count == 1)
    let first = try inode("cache/\(names[0])")
    expectAllPixels(of: try open(), "found")
    #expect(try folder.names(in: "cache") == names)
    #expect(try inode("cache/\(names[0])") == first)
  }

  @Test("knows a file by its content, wherever it lies, and another content by its own entry")
  func keyedByContent() throws {
    _ = try open()
    let copy = try folder.write("elsewhere.gz", folder.read("data/train-images-idx3-ubyte.gz"))
    _ = try openPair(copy, labels, cache: cache)
    #expect(try folder.names(in: "cache").count == 1)
    var other = pixels
    other[0] ^= 1
    let changed = try folder.write("changed.gz", gzip(idx([500, 4, 3], other)))
    #expect(try openPair(changed, labels, cache: cache).sample(0).pixels == Array(other.prefix(12)))
    #expect(try folder.names(in: "cache").count == 2)
  }

  @Test("recognises an entry that was altered anywhere, or torn, and builds it anew")
  func altered() throws {
    _ = try open()
    let name = "cache/\(try folder.names(in: "cache")[0])"
    let good = try folder.read(name)
    #expect(good.count == 16 + pixels.count + 48)
    var damages: [(String, [UInt8])] = [0, 3, 15, 16, 3_000, good.count - 49].map { place in
      var bytes = good
      bytes[place] ^= 0x40
      return ("byte \(place) altered", bytes)
    }
    for place in stride(from: good.count - 48, to: good.count, by: 5) {
      var bytes = good
      bytes[place] ^= 0x01
      damages.append(("byte \(place) of the footer altered", bytes))
    }
    damages += [
      ("empty", []), ("footer alone", Array(good.suffix(48))), ("torn", Array(good.prefix(3_000))),
      ("without its footer", Array(good.dropLast(48))), ("longer", good + [0]),
      ("all zero", [UInt8](repeating: 0, count: good.count)),
    ]
    for (what, bytes) in damages {
      try folder.write(name, bytes)
      expectAllPixels(of: try open(), what)
      #expect(try folder.read(name) == good, "\(what)")
    }
  }

  @Test("does not take another file's entry under this one's name")
  func renamed() throws {
    _ = try open()
    let name = "cache/\(try folder.names(in: "cache")[0])"
    let good = try folder.read(name)
    let other = try folder.write("other.gz", gzip(idx([500, 4, 3], pixels.reversed())))
    _ = try openPair(other, labels, cache: cache)
    let otherName = try #require(folder.names(in: "cache").map { "cache/\($0)" }.first { $0 != name })
    try folder.write(name, folder.read(otherName))
    expectAllPixels(of: try open(), "renamed")
    #expect(try folder.read(name) == good)
  }

  @Test("replaces a symbolic link at an entry's place and leaves the link's target alone")
  func plantedLink() throws {
    _ = try open()
    let name = "cache/\(try folder.names(in: "cache")[0])"
    let good = try folder.read(name)
    try folder.write("target", good)
    try FileManager.default.removeItem(atPath: folder(name))
    try FileManager.default.createSymbolicLink(atPath: folder(name), withDestinationPath: folder("target"))
    expectAllPixels(of: try open(), "linked")
    let type = try FileManager.default.attributesOfItem(atPath: folder(name))[.type] as? FileAttributeType
    #expect(type == .typeRegular)
    #expect(try folder.read("target") == good)
  }

  @Test("uses a folder that must be its user's own only if it is")
  func ownership() throws {
    func place(_ name: String) -> DecompressedCache.Place { .init(path: folder(name), mustBeOwn: true) }
    try FileManager.default.createDirectory(atPath: folder("real"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: folder("link"), withDestinationPath: folder("real"))
    try FileManager.default.createDirectory(atPath: folder("shared"), withIntermediateDirectories: true)
    chmod(folder("shared"), 0o777)
    try FileManager.default.createDirectory(atPath: folder("foreign"), withIntermediateDirectories: true)
    // Only the superuser can give a folder away.
    let isForeign = chown(folder("foreign"), 65_534, 65_534) == 0 && geteuid() == 0
    let refused = ["link", "shared"] + (isForeign ? ["foreign"] : [])
    let dataset = try open(DecompressedCache(places: (refused + ["own/deep"]).map(place)))
    expectAllPixels(of: dataset, "own")
    #expect(try folder.names(in: "real").isEmpty)
    #expect(try folder.names(in: "shared").isEmpty)
    #expect(try folder.names(in: "foreign").isEmpty)
    #expect(try folder.names(in: "own/deep").count == 1)
    var status = stat()
    #expect(stat(folder("own/deep"), &status) == 0 && status.st_mode & 0o777 == 0o700)
  }

  @Test("goes on to a private copy, and says so, where no folder can be had")
  func nowhere() throws {
    try folder.write("file", [])
    let cache = DecompressedCache(places: [
      .init(path: folder("file/below"), mustBeOwn: false), .init(path: "/proc/dtrain", mustBeOwn: true),
    ])
    let dataset = try open(cache)
    expectAllPixels(of: dataset, "private")
    #expect(dataset.origin == "a test (a copy in every process: no cache folder)")
    #expect(try open().origin == "a test")
  }

  @Test("leaves the folder of the data as it is")
  func readOnlyData() throws {
    chmod(folder("data"), 0o555)
    defer { chmod(folder("data"), 0o755) }
    let before = try folder.names(in: "data")
    expectAllPixels(of: try open(), "read-only")
    #expect(try folder.names(in: "data") == before)
  }

  @Test("clears away builds that were abandoned, not those under way")
  func abandoned() throws {
    try folder.write("cache/old.building", [1])
    try folder.write("cache/new.building", [1])
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7_200)], ofItemAtPath: folder("cache/old.building"))
    _ = try open()
    let names = try folder.names(in: "cache")
    #expect(names.contains("new.building"))
    #expect(!names.contains("old.building"))
    #expect(names.count == 2)
  }

  @Test("is where the environment says")
  func places() {
    func paths(_ variables: [String: String]) -> [String] {
      DecompressedCache { variables[$0] }.places.map(\.path)
    }
    let last = "/tmp/dtrain-\(geteuid())"
    #expect(paths(["DTRAIN_CACHE": "c", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == ["c", last])
    #expect(paths(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == ["/x/dtrain", last])
    #expect(paths(["HOME": "/h"]) == ["/h/.cache/dtrain", last])
    #expect(paths([:]) == [last])
    #expect(DecompressedCache { $0 == "HOME" ? "/h" : nil }.places.map(\.mustBeOwn) == [true, true])
  }

  @Test("gives many threads that open at once one and the same entry")
  func threads() async throws {
    let results = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<8 {
        group.addTask {
          let dataset = try openPair(images, labels, cache: cache)
          return (0..<dataset.count).flatMap { dataset.sample($0).pixels }
        }
      }
      return try await group.reduce(into: [[UInt8]]()) { $0.append($1) }
    }
    #expect(results.count == 8)
    #expect(results.allSatisfy { $0 == pixels })
    #expect(try folder.names(in: "cache").count == 1)
  }

  private static let childVariable = "DTRAIN_CACHE_TEST_FOLDER"

  @Test("gives processes that start at once one and the same file", .enabled(if: access("/proc/self/exe", X_OK) == 0))
  func processes() throws {
    // Large enough for the builds to overlap.
    let count = 40_000
    let many = (0..<count * 28 * 4).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
    try folder.write("many-images", gzip(idx([count, 28, 4], many)))
    try folder.write("many-labels", gzip(idx([count], [UInt8](repeating: 3, count: count))))
    let children = try (0..<4).map { number in
      let child = Process()
      child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      child.arguments = ["--testing-library", "swift-testing", "--filter", "DecompressedCacheChild"]
      child.environment = ProcessInfo.processInfo.environment.merging(
        [Self.childVariable: folder.path, "DTRAIN_CACHE_TEST_NUMBER": "\(number)"]) { $1 }
      child.standardOutput = FileHandle.nullDevice
      child.standardError = FileHandle.nullDevice
      try child.run()
      return child
    }
    try folder.write("go", [])
    for child in children {
      child.waitUntilExit()
      #expect(child.terminationStatus == 0)
    }
    let names = try folder.names(in: "many-cache")
    #expect(names.count == 1)
    let expected = "\(try inode("many-cache/\(names[0])")) \(checksum(many))"
    for number in 0..<4 {
      #expect(String(decoding: try folder.read("result\(number)"), as: UTF8.self) == expected)
    }
  }
}

private func checksum(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

@Suite("What each process of the test above does")
struct DecompressedCacheChild {
  private static let variables = ProcessInfo.processInfo.environment

  @Test(.enabled(if: variables["DTRAIN_CACHE_TEST_FOLDER"] != nil))
  func openAndReport() throws {
    let path = try #require(Self.variables["DTRAIN_CACHE_TEST_FOLDER"])
    let number = try #require(Self.variables["DTRAIN_CACHE_TEST_NUMBER"])
    while !FileManager.default.fileExists(atPath: "\(path)/go") { usleep(200) }
    let dataset = try openPair(
      "\(path)/many-images", "\(path)/many-labels", cache: DecompressedCache(folder: "\(path)/many-cache"))
    let pixels = (0..<dataset.count).flatMap { dataset.sample($0).pixels }
    // Which file is mapped, from the kernel's own list: address, rights, offset, device, inode, path.
    let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    let mapped = try #require(maps.split(separator: "\n").first { $0.contains("\(path)/many-cache/") })
    let inode = mapped.split(separator: " ", omittingEmptySubsequences: true)[4]
    try Data("\(inode) \(checksum(pixels))".utf8).write(to: URL(fileURLWithPath: "\(path)/result\(number)"))
  }
}
