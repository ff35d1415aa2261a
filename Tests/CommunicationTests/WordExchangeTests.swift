import Failures
import Testing

@testable import Communication

@Suite struct WordExchangeTests {
  @Test(arguments: Array(1...6) + [9, 16, 21]) func everyRankSeesTheWordsOfAllAgainAndAgain(_ ranks: Int) throws {
    let seen = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
      let words = WordExchange(communicator: replica, count: 2)
      var seen: [[UInt64]] = []
      for round in 0..<3 {
        words.own[0] = UInt64(replica.rank)
        words.own[1] = .max - UInt64(round)
        try words.gather(phase: Phase("test", step: round))
        seen.append((0..<ranks).flatMap { [words[$0, 0], words[$0, 1]] })
      }
      return seen
    }
    let expected = (0..<3).map { round in (0..<ranks).flatMap { [UInt64($0), .max - UInt64(round)] } }
    #expect(seen == Array(repeating: expected, count: ranks))
  }
}
