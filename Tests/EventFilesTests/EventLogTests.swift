import Failures
import Foundation
import Testing

@testable import EventFiles

@Suite final class EventLogTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "dtrain-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("tfevents") }.sorted()
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: name)))
  }

  private func write(steps: ClosedRange<Int>, to log: EventLog) {
    let values: [Float] = [0.5, -0.25, 3]
    for step in steps {
      log.add(step: step) { $0.scalar(EventTag.trainingLoss, 1 / Double(step)) }
      guard step % 3 == 0 else { continue }
      log.add(step: step) { $0.scalar(EventTag.testLoss, 1 / Double(step)) }
      values.withUnsafeBufferPointer { log.addHistogram(EventTag.weights("W1"), $0, step: step) }
    }
    log.flush()
  }

  /// RFC 3720, B.4.
  @Test func checksumsOfTheStandard() {
    func crc(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes(MaskedChecksum.crc32c) }
    #expect(crc(Array(repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc(Array(repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc(Array(0..<32)) == 0x46dd_794e)
    #expect(crc(Array("123456789".utf8)) == 0xe306_9283)
  }

  @Test func whatIsBehindTheStepIsCutOffAndTheRestStays() throws {
    write(steps: 1...9, to: try EventLog(folder: folder.path, goingOnAfter: 0))
    let name = try #require(try files().first)
    let whole = try bytes(name)
    // Records before and at each step, in their order.
    for made in (1...9).reversed() {
      _ = try EventFolder(folder.path).cut(after: made)
      let cut = try bytes(name)
      #expect(whole.starts(with: cut))
      // The version, the steps, and a test and a histogram behind every third of those before.
      #expect(recordCount(cut) == 1 + made + 2 * ((made - 1) / 3))
    }
  }

  @Test func aTornOrDamagedEndIsCutOff() throws {
    write(steps: 1...5, to: try EventLog(folder: folder.path, goingOnAfter: 0))
    let name = try #require(try files().first)
    let whole = try bytes(name)
    let count = recordCount(whole)
    for length in [whole.count - 1, whole.count - 5, whole.count - 20] {
      try Data(whole[..<length]).write(to: folder.appending(path: name))
      _ = try EventFolder(folder.path).cut(after: 100)
      #expect(try recordCount(bytes(name)) == count - 1)
    }
    var damaged = whole
    damaged[damaged.count - 6] ^= 1
    try Data(damaged).write(to: folder.appending(path: name))
    _ = try EventFolder(folder.path).cut(after: 100)
    #expect(try recordCount(bytes(name)) == count - 1)
  }

  @Test func aRunThatBeginsAfreshLeavesNothingOfTheOneBefore() throws {
    write(steps: 1...5, to: try EventLog(folder: folder.path, goingOnAfter: 0))
    let other = folder.appending(path: "events.out.tfevents.1.other")
    try Data([1]).write(to: other)
    write(steps: 1...2, to: try EventLog(folder: folder.path, goingOnAfter: 0))
    #expect(try files().count == 2)
    #expect(FileManager.default.fileExists(atPath: other.path))
  }

  @Test func laterFilesHaveLaterNames() throws {
    for step in 0..<4 { write(steps: step + 1...step + 1, to: try EventLog(folder: folder.path, goingOnAfter: step)) }
    #expect(try files().count == 4)
    var names: [String] = []
    for _ in 0..<5 { names.append(EventFolder.newName(after: names)) }
    #expect(names == names.sorted() && Set(names).count == 5)
  }

  @Test func aFolderThatIsNotThereIsNamed() {
    let failure = #expect(throws: Failure.self) { try EventLog(folder: "/nowhere/at/all", goingOnAfter: 0) }
    #expect(failure?.cause.contains("/nowhere/at/all") == true)
  }

  @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func aFullDiskIsKeptInMindAndNothingMoreIsWritten() throws {
    let file = EventFile(descriptor: open("/dev/full", O_WRONLY), path: "/dev/full")
    file.add(step: 1) { $0.text(EventField.fileVersion, "x") }
    #expect(file.error == nil)
    file.flush()
    #expect(file.error == ENOSPC)
    for step in 2...10_000 { file.add(step: step) { $0.text(EventField.fileVersion, "x") } }
    file.flush()
    #expect(file.error == ENOSPC)
  }

  private func recordCount(_ file: [UInt8]) -> Int {
    var (offset, count) = (0, 0)
    while offset + 16 <= file.count {
      let length = (0..<8).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
      offset += length + 16
      count += 1
    }
    return offset == file.count ? count : -1
  }
}

@Suite struct HistogramTests {
  @Test func countsWhatIsThere() {
    var generator = SystemRandomNumberGenerator()
    let values = (0..<10_000).map { _ in Float.random(in: -2...3, using: &generator) } + [.nan, .infinity, 0]
    var histogram = Histogram()
    values.withUnsafeBufferPointer { histogram.count($0) }
    let finite = values.filter(\.isFinite).map(Double.init)
    #expect(histogram.number == Double(finite.count))
    #expect(histogram.minimum == finite.min() && histogram.maximum == finite.max())
    #expect(abs(histogram.sum - finite.reduce(0, +)) < 1e-6)
    #expect(abs(histogram.squares - finite.reduce(0) { $0 + $1 * $1 }) < 1e-6)
    [Float]().withUnsafeBufferPointer { histogram.count($0) }
    #expect(histogram.number == 0)
  }
}
