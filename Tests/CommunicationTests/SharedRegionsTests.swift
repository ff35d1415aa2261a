import Failures
import Testing

@testable import Communication

@Suite struct SharedRegionsTests {
  private let phase = Phase("sums", step: 4)

  /// What each rank writes before it raises its mark, every other has when its wait is over.
  @Test(arguments: [(2, 2), (5, 5), (6, 3), (8, 2)])
  func whatWasWrittenIsSeen(ranks: Int, ranksPerNode: Int) throws {
    let sums = try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode) { (replica) throws(Failure) in
      guard let regions = try replica.shareMemory(byteCount: 64) else { return [UInt64]() }
      #expect(regions.ranks.contains(replica.rank) && regions.nodes == ranks / ranksPerNode)
      var sums: [UInt64] = []
      for round in UInt64(1)...50 {
        // Two places in turn: a rank that is a round behind still reads the other.
        func value(_ place: Int) -> UnsafeMutablePointer<UInt64> {
          regions.start(ofPlace: place).assumingMemoryBound(to: UInt64.self) + Int(round % 2)
        }
        value(regions.place).pointee = round * UInt64(replica.rank + 1)
        regions.raise(.beside(16), to: round)
        try regions.wait(for: .beside(16), toReach: round, phase: phase)
        sums.append((0..<ranksPerNode).reduce(0) { $0 + value($1).pointee })
      }
      return sums
    }
    for (rank, sums) in sums.enumerated() {
      let first = rank / ranksPerNode * ranksPerNode
      let sum = (first..<first + ranksPerNode).reduce(0) { $0 + UInt64($1 + 1) }
      #expect(sums == (1...50).map { $0 * sum })
    }
  }

  /// Rank 3 waits for something else, which nobody does, and gives up later than rank 2.
  @Test func aRankThatDoesNotComeIsNamedByItsNumberInTheJob() {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 4, timeout: .seconds(1), ranksPerNode: 2) { (replica) throws(Failure) in
        guard let regions = try replica.shareMemory(byteCount: 64) else { return }
        if replica.rank == 3 {
          return try regions.wait(for: .finished, toReach: 1, phase: phase, relay: .afterRounds(1000))
        }
        regions.raise(.beside(0), to: 1)
        try regions.wait(for: .beside(0), toReach: 1, phase: phase)
      }
    }
    #expect(thrown?.cause == "waited 1 s for rank 3 in sums, step 4")
    #expect(thrown?.remedy.contains("communication.timeout_seconds") == true)
  }

  @Test func aFailureOfAnotherRankEndsAWait() {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 3, timeout: .seconds(3600)) { (replica) throws(Failure) in
        guard let regions = try replica.shareMemory(byteCount: 64) else { return }
        if replica.rank == 1 { throw Failure(.badData, "no label", remedy: "") }
        regions.raise(.beside(0), to: 1)
        try regions.wait(for: .beside(0), toReach: 1, phase: phase)
      }
    }
    #expect(thrown?.cause == "no label")
  }

  @Test func whoHasRaisedItsMarkMayGo() throws {
    _ = try InProcessReplicas.run(count: 2, timeout: .seconds(3600)) { (replica) throws(Failure) in
      guard let regions = try replica.shareMemory(byteCount: 64) else { return }
      regions.raise(.finished, to: 1)
      if replica.rank == 0 { try regions.wait(for: .finished, toReach: 1, phase: phase) }
    }
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2, timeout: .seconds(3600)) { (replica) throws(Failure) in
        guard let regions = try replica.shareMemory(byteCount: 64) else { return }
        if replica.rank == 0 { try regions.wait(for: .finished, toReach: 1, phase: phase) }
      }
    }
    #expect(thrown?.cause == "rank 0 waits for rank 1 in sums, step 4, but rank 1 has ended its work")
  }
}

@Suite struct NodeMemoryTests {
  @Test func anotherTakesWhatOneHasMade() throws {
    let made = try #require(NodeMemory(byteCount: 8192))
    let place = made.place
    #expect(place != .none)
    let taken = try #require(NodeMemory(at: place, byteCount: 8192))
    made.start.storeBytes(of: 42, toByteOffset: 5000, as: Int64.self)
    #expect(taken.start.load(fromByteOffset: 5000, as: Int64.self) == 42)
    made.closeFile()
    #expect(NodeMemory(at: place, byteCount: 8192) == nil)
    taken.start.storeBytes(of: 43, toByteOffset: 5000, as: Int64.self)
    #expect(made.start.load(fromByteOffset: 5000, as: Int64.self) == 43)
  }

  @Test func whatCannotBeHadIsNil() {
    #expect(NodeMemory(byteCount: 0) == nil)
    #expect(NodeMemory(at: .none, byteCount: 64) == nil)
  }
}
