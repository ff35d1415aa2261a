import Foundation
import Testing

@Suite struct AllocationTests {
  /// As a program tells that counts; under sanitizers, and where the C library is another, it cannot.
  @Test(arguments: ["none", "float16", "bfloat16", "int8", "top-k"])
  func aStepInTheSteadyStateAsksForNoMemory(compression: String) throws {
    try expectZeros(8, of: ["communication.compression=\(compression)"])
  }

  /// Four steps of six of each of three epochs.
  @Test(arguments: [false, true], [2, 3]) func norDoesOneOfSeveralRanks(isSharded: Bool, replicas: Int) throws {
    try expectZeros(12, of: ["\(replicas)", "optimizer.sharded=\(isSharded)"])
  }

  @Test func norDoesOneOfGroupsBetweenAverages() throws {
    let settings = ["communication.local_steps=2", "communication.local_groups=2"]
    try expectZeros(8, of: settings)
    try expectZeros(12, of: ["2"] + settings)
  }

  private func expectZeros(_ count: Int, of arguments: [String]) throws {
    let probe = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "AllocationProbe")
    let process = Process()
    let output = Pipe()
    process.executableURL = probe
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    if text == "not counted\n" { return }
    #expect(text.split(separator: "\n") == Array(repeating: "0", count: count))
  }
}
