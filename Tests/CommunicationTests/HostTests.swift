import Testing

@testable import Communication

@Suite struct HostTests {
  @Test func aPlaceSurvivesItsJourney() {
    let here = RankPlace.current()
    #expect(here.bytes.count == RankPlace.byteCount)
    #expect(RankPlace(bytes: here.bytes) == here)
    #expect(here.processors.contains { $0 != 0 })
    let long = RankPlace(host: String(repeating: "h", count: 400), processors: [1])
    #expect(RankPlace(bytes: long.bytes).host == String(repeating: "h", count: 255))
  }

  @Test func oversubscriptionCountsTheProcessorsOfTheRanksOfOneHost() {
    let first = RankPlace(host: "a", processors: [0b01])
    let second = RankPlace(host: "a", processors: [0b10])
    let both = RankPlace(host: "a", processors: [0b11])
    let elsewhere = RankPlace(host: "b", processors: [0b01])
    #expect(!RankPlace.isOversubscribed([first, second], rank: 0))
    #expect(!RankPlace.isOversubscribed([both, both], rank: 1))
    #expect(RankPlace.isOversubscribed([first, first], rank: 0))
    #expect(RankPlace.isOversubscribed([both, both, both], rank: 0))
    #expect(!RankPlace.isOversubscribed([first, elsewhere], rank: 0))
    #expect(!RankPlace.isOversubscribed([both, both, both, elsewhere], rank: 3))
  }

  @Test func wordingOfRanksAndTimes() {
    #expect(ranks([3]) == "rank 3")
    #expect(ranks([3, 5]) == "ranks 3 and 5")
    #expect(ranks([1, 3, 5]) == "ranks 1, 3 and 5")
    #expect(seconds(.seconds(60)) == "60 s")
    #expect(seconds(.milliseconds(1500)) == "1.5 s")
  }

  @Test func theBindingOfRanksIsSeenInTheirProcessors() {
    func places(_ processors: [(host: String, bits: UInt8)]) -> [RankPlace] {
      processors.map { RankPlace(host: $0.host, processors: [$0.bits] + [UInt8](repeating: 0, count: 127)) }
    }
    #expect(RankPlace.binding(places([("a", 3)])) == nil)
    #expect(RankPlace.binding(places([("a", 1), ("a", 2)])) == "each bound to a core of its own")
    // Two hardware threads of a core each; and the same processor number on two hosts.
    #expect(RankPlace.binding(places([("a", 3), ("a", 12)])) == "each bound to a core of its own")
    #expect(RankPlace.binding(places([("a", 1), ("b", 1)])) == "each bound to a core of its own")
    #expect(RankPlace.binding(places([("a", 3), ("a", 3)])) == "not bound to cores of their own")
    #expect(
      RankPlace.binding(places([("a", 3), ("a", 3), ("a", 3)])) == "more ranks than cores, so they share them")
    #expect(RankPlace.binding(places([("a", 1), ("a", 1)])) == "more ranks than cores, so they share them")
  }
}
