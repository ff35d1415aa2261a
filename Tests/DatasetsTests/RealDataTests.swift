import Foundation
import Testing

@testable import Datasets

/// The first folder that holds a real data set, if this machine has one.
private func realFolder(_ name: String) -> String? {
  var root = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { root.deleteLastPathComponent() }
  let places: [String?] = [
    ProcessInfo.processInfo.environment["DTRAIN_DATA"], root.appendingPathComponent("data").path,
    root.appendingPathComponent("../shared/data").standardizedFileURL.path, "/usr/share/datasets",
  ]
  return places.compactMap { $0 }.map { "\($0)/\(name)" }.first {
    FileManager.default.fileExists(atPath: "\($0)/train-images-idx3-ubyte.gz")
  }
}

@Suite("Real data")
struct RealDataTests {
  let cache: TemporaryFolder

  init() throws { cache = try TemporaryFolder() }

  private func open(_ folder: String, _ subset: Subset) throws -> any Dataset {
    let source = IDXSource(name: "mnist", remedy: "") { [cache] in $0 == "DTRAIN_CACHE" ? cache.path : nil }
    return try source.open(DatasetRequest(path: folder, subset: subset, classCount: 10))
  }

  private func histogram(_ dataset: any Dataset) -> [Int] {
    var counts = [Int](repeating: 0, count: 10)
    var pixels = [UInt8](repeating: 0, count: dataset.imageShape.pixelCount)
    for index in 0..<dataset.count { counts[dataset.read(index, into: &pixels)] += 1 }
    return counts
  }

  @Test(.enabled(if: realFolder("mnist") != nil)) func mnist() throws {
    let folder = try #require(realFolder("mnist"))
    let training = try open(folder, .training)
    #expect(training.name == "mnist")
    #expect(training.count == 60_000)
    #expect(training.imageShape == ImageShape(channels: 1, height: 28, width: 28))
    #expect((0..<10).map { training.sample($0).label } == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    #expect(histogram(training) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    // The known mean of the training pixels, 0.1307.
    var sum = 0
    for index in 0..<training.count { sum += training.sample(index).pixels.reduce(0) { $0 + Int($1) } }
    #expect((Double(sum) / Double(60_000 * 784 * 255) - 0.1306604762738429).magnitude < 1e-12)

    let test = try open(folder, .test)
    #expect(test.count == 10_000)
    #expect((0..<5).map { test.sample($0).label } == [7, 2, 1, 0, 4])
    #expect(histogram(test) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  }

  @Test(.enabled(if: realFolder("fashion-mnist") != nil)) func fashionMNIST() throws {
    let folder = try #require(realFolder("fashion-mnist"))
    let training = try open(folder, .training)
    #expect(training.name == "fashion-mnist")
    #expect(training.count == 60_000)
    #expect((0..<5).map { training.sample($0).label } == [9, 0, 0, 3, 0])
    #expect(histogram(training) == [Int](repeating: 6_000, count: 10))
  }
}
