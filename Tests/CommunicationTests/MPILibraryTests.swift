import Testing

@testable import Communication

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct MPILibraryTests {
  /// A user's own choice stays.
  @Test func messagesAreSentInFragmentsUnlessTheUserHasChosen() {
    let (variable, value) = MPILibrary.transfers
    let before = getenv(variable).map { String(cString: $0) }
    defer {
      if let before { setenv(variable, before, 1) } else { unsetenv(variable) }
    }
    unsetenv(variable)
    MPILibrary.chooseTransfers()
    #expect(getenv(variable).map { String(cString: $0) } == value)
    setenv(variable, "send,put", 1)
    MPILibrary.chooseTransfers()
    #expect(getenv(variable).map { String(cString: $0) } == "send,put")
  }
}
