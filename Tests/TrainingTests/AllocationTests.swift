import Foundation
import Testing

@Suite struct AllocationTests {
  /// As a program tells that counts; under sanitizers, and where the C library is another, it cannot.
  @Test func aStepInTheSteadyStateAsksForNoMemory() throws {
    let probe = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "AllocationProbe")
    let process = Process()
    let output = Pipe()
    process.executableURL = probe
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    if text == "not counted\n" { return }
    #expect(text.split(separator: "\n") == Array(repeating: "0", count: 8))
  }
}
