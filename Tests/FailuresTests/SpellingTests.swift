import Failures
import Testing

@Suite struct SpellingTests {
  @Test func distancesCountCharacters() {
    #expect(Spelling.distance("", "abc") == 3)
    #expect(Spelling.distance("abc", "") == 3)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.distance("abcd", "abdc") == 1)
    #expect(Spelling.distance("same", "same") == 0)
  }

  @Test func onlyNearNamesAreMeant() {
    #expect(Spelling.nearest(to: "seedd", in: ["speed", "seed"]) == "seed")
    #expect(Spelling.nearest(to: "momentum", in: ["seed"]) == nil)
    #expect(Spelling.nearest(to: "x", in: []) == nil)
  }

  @Test func aLongWordIsFarFromEverything() {
    let long = String(repeating: "a", count: 100_000)
    #expect(Spelling.nearest(to: long, in: [long, "a"]) == nil)
  }
}

@Suite struct FailureTests {
  @Test func aFailureReadsAsOneLine() {
    #expect(Failure(.noInput, "x is missing", remedy: "fetch it").description == "x is missing; fetch it")
    #expect(Failure(.failure, "x is missing", remedy: "").description == "x is missing")
  }
}
