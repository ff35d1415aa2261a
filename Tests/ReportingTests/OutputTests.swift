import Failures
import Foundation
import Testing

@testable import Reporting

private func temporaryPath() -> String {
  FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
}

@Suite struct TextOutputTests {
  @Test func textArrivesAtOnce() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let output = TextOutput(descriptor: ends[1])
    output.write("no end of line ")
    output.writeLine("é")
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(ends[0], &bytes, bytes.count)
    #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == "no end of line é\n")
    try output.finish()
  }

  @Test func aReaderThatHasGoneIsNoError() throws {
    TextOutput.ignoreBrokenPipes()
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let output = TextOutput(descriptor: ends[1])
    for _ in 0..<3 { output.writeLine("nobody reads this") }
    try output.finish()
  }

  @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func aFullDiskIsToldAtTheEnd() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let output = TextOutput(descriptor: descriptor)
    output.writeLine("a result")
    let failure = #expect(throws: Failure.self) { try output.finish() }
    #expect(failure?.code == .inputOutput)
    #expect(failure?.cause == "standard output: No space left on device")
  }

  @Test func aFullPipeIsWaitedFor() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    try #require(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
    let text = String(repeating: "0123456789", count: 100_000)
    let reader = ends[0]
    nonisolated(unsafe) var received = 0
    let thread = Thread {
      var bytes = [UInt8](repeating: 0, count: 4096)
      while received < text.utf8.count {
        let count = read(reader, &bytes, bytes.count)
        if count <= 0 { break }
        received += count
      }
    }
    thread.start()
    let output = TextOutput(descriptor: ends[1])
    output.write(text)
    try output.finish()
    while !thread.isFinished { usleep(1000) }
    #expect(received == text.utf8.count)
  }
}

@Suite struct MetricsLogTests {
  private func step(_ number: Int, seconds: Double = 0) -> StepMetrics {
    StepMetrics(
      step: number, epoch: 1, loss: 2.302585092994046, accuracy: 0.11, learningRate: 0.001, imagesPerSecond: 3500.5,
      seconds: seconds)
  }

  @Test func everyLineIsAnObjectWithItsFields() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let log = try MetricsLog(path: path)
    try log.append(step(1, seconds: 0.25))
    try log.append(
      TestMetrics(step: 1, epoch: 1, dataset: "mnist", loss: 0.5, errors: 51, samples: 10000, seconds: 0.5))
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      text == """
        {"kind":"step","step":1,"epoch":1,"loss":2.302585092994046,"accuracy":0.11,"learning_rate":0.001,\
        "images_per_second":3500.5,"seconds":0.25}
        {"kind":"test","step":1,"epoch":1,"dataset":"mnist","test_loss":0.5,"test_accuracy":0.9949,\
        "test_errors":51,"test_samples":10000,"seconds":0.5}

        """)
    for line in text.split(separator: "\n") {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
  }

  @Test func stepsAreWrittenInTimeAndNoneIsLost() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let log = try MetricsLog(path: path)
    func lines() throws -> Int { try String(contentsOfFile: path, encoding: .utf8).count { $0 == "\n" } }
    try log.append(step(1, seconds: 0.1))
    #expect(try lines() == 0)
    try log.append(step(2, seconds: 2.1))
    #expect(try lines() == 2)
    for number in 3...10_000 { try log.append(step(number, seconds: 2.2)) }
    #expect(try lines() > 4096)
    try log.flush()
    #expect(try lines() == 10_000)
    let steps = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["step"] as? Int
    }
    #expect(steps == Array(1...10_000))
  }

  @Test func anOldFileIsReplaced() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try String(repeating: "old\n", count: 100).write(toFile: path, atomically: true, encoding: .utf8)
    let log = try MetricsLog(path: path)
    try log.append(step(1))
    try log.flush()
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("{\"kind\":\"step\",\"step\":1,"))
    #expect(try String(contentsOfFile: path, encoding: .utf8).count { $0 == "\n" } == 1)
  }

  @Test func aFolderThatIsNotThereIsNamed() {
    let failure = #expect(throws: Failure.self) { try MetricsLog(path: "/nowhere/at/all/metrics.jsonl") }
    #expect(failure?.code == .cannotCreate)
    #expect(failure?.cause == "/nowhere/at/all/metrics.jsonl: No such file or directory")
  }

  @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func aFullDiskStopsTheRun() throws {
    let log = try MetricsLog(path: "/dev/full")
    try log.append(step(1))
    let failure = #expect(throws: Failure.self) { try log.flush() }
    #expect(failure?.code == .inputOutput)
    #expect(failure?.cause == "/dev/full: No space left on device")
  }
}
