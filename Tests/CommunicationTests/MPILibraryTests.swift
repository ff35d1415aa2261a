import Testing

@testable import Communication

@Suite struct MPILibraryTests {
  @Test func longMessagesAreSentInFragmentsUnlessTheUserHasChosen() {
    let flags = MPILibrary.transfers(chosen: nil).split(separator: ",")
    #expect(flags.contains("send") && !flags.contains("put"))
    #expect(MPILibrary.transfers(chosen: "send,put") == "send,put")
  }
}
