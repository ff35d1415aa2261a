import Testing

@testable import Communication

@Suite struct PhysicalCoresTests {
  @Test func thereIsAtLeastOneAndNoMoreThanProcessors() {
    let allowed = allowedProcessors().reduce(0) { $0 + $1.nonzeroBitCount }
    #expect((1...allowed).contains(PhysicalCores.count))
  }

  @Test func aContainersLimitIsRoundedUpToWholeCores() {
    #expect(PhysicalCores.quota("150000 100000") == 2)
    #expect(PhysicalCores.quota("400000 100000") == 4)
    #expect(PhysicalCores.quota("5000 100000") == 1)
    for none in [nil, "max 100000", "", "100000", "0 100000", "1 0", "x y"] {
      #expect(PhysicalCores.quota(none) == nil)
    }
  }
}
