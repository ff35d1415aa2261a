import Failures
import Kernels
import Testing

@testable import dtrain

@Suite struct ProcessorCheckTests {
  @Test func anOlderProcessorIsToldHowToGoOn() {
    let failure = #expect(throws: Failure.self) {
      try ProcessorCheck.verify(required: .x86v3, isX86v3: { false })
    }
    #expect(failure?.code == .unavailable)
    #expect(failure?.cause.contains("x86-64-v3") == true)
    #expect(failure?.remedy.contains("DTRAIN_PROCESSOR=x86-64 swift build") == true)
  }

  @Test func aProcessorThatOffersItPasses() throws {
    try ProcessorCheck.verify(required: .x86v3, isX86v3: { true })
  }

  @Test func aBuildForAnyProcessorDoesNotAsk() throws {
    try ProcessorCheck.verify(
      required: .any,
      isX86v3: {
        Issue.record("asked")
        return false
      })
  }
}
