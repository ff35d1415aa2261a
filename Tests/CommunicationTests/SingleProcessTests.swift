import Failures
import Testing

@testable import Communication

@Suite struct SingleProcessTests {
  @Test func collectivesOfOneRankReturnWhatItHas() throws {
    let process = SingleProcess()
    var bytes: [UInt8] = [1, 2, 3]
    try bytes.withUnsafeMutableBytes { try process.broadcast($0, phase: Phase("test")) }
    #expect(bytes == [1, 2, 3])
    #expect(try process.allGather([4, 5], phase: Phase("test")) == [[4, 5]])
    #expect(try process.gather([4, 5], phase: Phase("test")) == [[4, 5]])
    try process.barrier(phase: Phase("test"))
    try process.agree(on: [9], what: "digest", phase: Phase("test"))
    process.finish()
    #expect(process.hosts.count == 1 && !process.hosts[0].isEmpty)
  }

  @Test func aTransferIsADefect() {
    let process = SingleProcess()
    let transfer = Transfer(peer: 0, tag: 0, bytes: .init(start: nil, count: 0))
    let failure = #expect(throws: Failure.self) {
      try process.exchange(sending: [transfer], phase: Phase("gradient exchange", step: 12))
    }
    #expect(failure?.code == .software)
    #expect(failure?.cause.contains("gradient exchange, step 12") == true)
  }
}
