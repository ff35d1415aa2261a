import Foundation
import Testing

@Suite struct AllocationTests {
  /// As a program tells that counts; under sanitizers, and where the C library is another, it cannot.
  @Test(arguments: ["none", "float16", "bfloat16", "int8", "top-k"])
  func aStepInTheSteadyStateAsksForNoMemory(compression: String) throws {
    let probe = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "AllocationProbe")
    let process = Process()
    let output = Pipe()
    process.executableURL = probe
    process.arguments = ["communication.compression=\(compression)"]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    if text == "not counted\n" { return }
    #expect(text.split(separator: "\n") == Array(repeating: "0", count: 8))
  }
}
