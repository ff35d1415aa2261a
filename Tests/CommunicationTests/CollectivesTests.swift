import Failures
import Synchronization
import Testing

@testable import Communication

@Suite struct CollectivesTests {
  @Test(arguments: 1...9)
  func broadcastReachesEveryRankFromAnyRoot(count: Int) throws {
    for root in 0..<count {
      let received = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
        var bytes = [UInt8](repeating: UInt8(replica.rank), count: 1000)
        let outcome = bytes.withUnsafeMutableBytes { buffer in
          Result { () throws(Failure) in try replica.broadcast(buffer, from: root, phase: Phase("test")) }
        }
        try outcome.get()
        return bytes
      }
      #expect(received == Array(repeating: Array(repeating: UInt8(root), count: 1000), count: count))
    }
  }

  @Test(arguments: [0, 1, 255, 256, 70_000]) func bytesOfAnyNumberReachEveryRank(length: Int) throws {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    let received = try InProcessReplicas.run(count: 3) { (replica) throws(Failure) in
      try replica.broadcast(replica.rank == 1 ? bytes : [9], from: 1, phase: Phase("test"))
    }
    #expect(received == [bytes, bytes, bytes])
  }

  @Test(arguments: Array(1...12) + [16, 33, 64])
  func gatheringBringsBlocksInTheOrderOfRanks(count: Int) throws {
    let blocks = (0..<count).map { [UInt8($0), UInt8(truncatingIfNeeded: 7 * $0), 3] }
    let root = count / 2
    let results = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
      let block = blocks[replica.rank]
      return (
        try replica.allGather(block, phase: Phase("test")), try replica.gather(block, to: root, phase: Phase("test"))
      )
    }
    for (rank, result) in results.enumerated() {
      #expect(result.0 == blocks)
      #expect(result.1 == (rank == root ? blocks : nil))
    }
  }

  @Test(arguments: Array(1...10) + [16, 33])
  func nobodyLeavesABarrierBeforeAllHaveCome(count: Int) throws {
    let arrived = Mutex(0)
    let seen = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
      var seen: [Int] = []
      for round in 1...50 {
        arrived.withLock { $0 += 1 }
        try replica.barrier(phase: Phase("test", step: round))
        seen.append(arrived.withLock { $0 })
      }
      return seen
    }
    for rank in seen {
      for (round, number) in rank.enumerated() { #expect(number >= count * (round + 1)) }
    }
  }

  @Test(arguments: [5, 13])
  func allRanksLearnAlikeWhoDiffersFromRankZero(count: Int) throws {
    let failures = try InProcessReplicas.run(count: count) { (replica) throws(Failure) -> Failure? in
      let differs = replica.rank == 1 || replica.rank == 4
      do throws(Failure) {
        try replica.agree(on: [7, differs ? 1 : 0], what: "configuration", phase: Phase("test"))
        return nil
      } catch {
        return error
      }
    }
    let host = hostName()
    let expected = Failure(
      .configuration, "ranks 1 (\(host)), 4 (\(host)) have another configuration than rank 0 (\(host))",
      remedy: "start every rank with the same program, settings and files")
    #expect(failures == Array(repeating: expected, count: count))
  }

  @Test(arguments: 1...5)
  func ranksWithTheSameDigestAgree(count: Int) throws {
    _ = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
      try replica.agree(on: [1, 2, 3], what: "configuration", phase: Phase("test"))
    }
  }
}
