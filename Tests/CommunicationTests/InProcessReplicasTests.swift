import Failures
import Synchronization
import Testing

@testable import Communication

@Suite struct InProcessReplicasTests {
  @Test(arguments: 1...6)
  func everyRankRunsOnceAndReturnsItsResult(count: Int) throws {
    let results = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
      try replica.finish()
      return [replica.rank, replica.size, replica.hosts.count]
    }
    #expect(results == (0..<count).map { [$0, count, count] })
  }

  @Test func noReplicasAreNoJob() {
    let failure = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 0) { (_) throws(Failure) in }
    }
    #expect(failure?.code == .usage)
  }

  /// Every rank knows from the seed who sends what to whom; the order in which it asks for it is its own.
  @Test(arguments: 0..<12 as Range<UInt64>)
  func randomExchangesArriveWholeAndInOrder(seed: UInt64) throws {
    struct Message {
      let source: Int, destination: Int, tag: Int, bytes: [UInt8]
    }
    let count = Int(2 + seed % 5)
    let wrong = try InProcessReplicas.run(count: count) { (replica) throws(Failure) in
      var generator = SeededGenerator(seed)
      var ownGenerator = SeededGenerator(seed + 1000 * UInt64(1 + replica.rank))
      var wrong = 0
      for round in 0..<20 {
        let messages = (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
          let source = Int.random(in: 0..<count, using: &generator)
          let distance = Int.random(in: 1..<count, using: &generator)
          let isLong = Int.random(in: 0...3, using: &generator) == 0
          let length = isLong ? 100_000 : Int.random(in: 0..<9, using: &generator)
          return Message(
            source: source, destination: (source + distance) % count, tag: Int.random(in: 0..<3, using: &generator),
            bytes: (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        let outgoing = messages.filter { $0.source == replica.rank }
        // They may be asked for in any order, but messages with one source and tag come in the order they were sent.
        let incoming = messages.filter { $0.destination == replica.rank }
        let asked = incoming.shuffled(using: &ownGenerator)
        let expected = asked.enumerated().map { position, message in
          let earlier = asked[..<position].count { $0.source == message.source && $0.tag == message.tag }
          return incoming.filter { $0.source == message.source && $0.tag == message.tag }[earlier].bytes
        }
        var sends: [Transfer] = []
        for message in outgoing {
          let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: message.bytes.count, alignment: 1)
          buffer.copyBytes(from: message.bytes)
          sends.append(Transfer(peer: message.destination, tag: message.tag, bytes: buffer))
        }
        let receives = zip(asked, expected).map { message, bytes in
          Transfer(
            peer: message.source, tag: message.tag, bytes: .allocate(byteCount: bytes.count, alignment: 1))
        }
        try replica.exchange(sending: sends, receiving: receives, phase: Phase("test", step: round))
        for (receive, bytes) in zip(receives, expected) where !receive.bytes.elementsEqual(bytes) { wrong += 1 }
        for transfer in sends + receives { transfer.bytes.deallocate() }
      }
      return wrong
    }
    #expect(wrong == Array(repeating: 0, count: count))
  }

  @Test func aFailureOfOneRankEndsTheWaitsOfTheOthersAndIsTheOneThatIsThrown() throws {
    let seen = Mutex<[Int: Failure]>([:])
    let origin = Failure(.badData, "train-labels, offset 8: no label", remedy: "fetch the file again")
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 4, timeout: .seconds(3600)) { (replica) throws(Failure) in
        if replica.rank == 2 { throw origin }
        do throws(Failure) {
          try replica.barrier(phase: Phase("gradient exchange", step: 12))
        } catch {
          seen.withLock { $0[replica.rank] = error }
          throw error
        }
      }
    }
    #expect(thrown == origin)
    let echoes = seen.withLock { $0 }
    #expect(echoes.keys.sorted() == [0, 1, 3])
    for (rank, echo) in echoes {
      #expect(echo.code == origin.code)
      #expect(echo.cause.contains("rank \(rank) stops in gradient exchange, step 12"))
      #expect(echo.cause.contains("rank 2 has failed: \(origin.cause)"))
    }
  }

  @Test func ofFailuresOfTheirOwnThatOfTheLowestRankIsThrown() {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 4) { (replica) throws(Failure) in
        if replica.rank > 0 { throw Failure(.noInput, "rank \(replica.rank) found nothing", remedy: "") }
        try replica.barrier(phase: Phase("test"))
      }
    }
    #expect(thrown?.cause == "rank 1 found nothing")
  }

  @Test func aRankThatDoesNotComeIsNamed() throws {
    let failure = try failureOfBarrier(without: 1, of: 3, timeout: .seconds(2))
    #expect(failure.cause.contains("waited 2 s for rank 1 in roll call, step 3"))
    #expect(failure.remedy.contains("communication.timeout_seconds"))
  }

  @Test func aRankThatHasEndedIsNotWaitedFor() {
    for waiting in [(sends: 1, receives: 0), (sends: 0, receives: 1)] {
      let thrown = #expect(throws: Failure.self) {
        try InProcessReplicas.run(count: 2, timeout: .seconds(3600)) { (replica) throws(Failure) in
          if replica.rank == 1 { return }
          let transfer = Transfer(peer: 1, tag: 0, bytes: .init(start: nil, count: 0))
          try replica.exchange(
            sending: Array(repeating: transfer, count: waiting.sends),
            receiving: Array(repeating: transfer, count: waiting.receives), phase: Phase("test"))
        }
      }
      #expect(thrown?.cause == "rank 0 waits for rank 1 in test, but rank 1 has ended its work")
    }
  }

  @Test func sizesThatDifferAreNoticed() {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2) { (replica) throws(Failure) in
        var bytes: [UInt8] = Array(repeating: 0, count: replica.rank == 0 ? 8 : 5)
        _ = try replica.allGather(bytes, phase: Phase("test"))
        bytes.removeAll()
      }
    }
    #expect(thrown?.code == .software)
    #expect(
      thrown?.cause == "expected 8 bytes from rank 1 in test and got 5 bytes"
        || thrown?.cause == "expected 5 bytes from rank 0 in test and got 8 bytes")
  }

  @Test(arguments: [
    (peer: 0, tag: 0), (peer: 2, tag: 0), (peer: -1, tag: 0), (peer: 1, tag: 32768), (peer: 1, tag: -1),
  ])
  func aTransferThatCannotBeIsADefect(peer: Int, tag: Int) {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2) { (replica) throws(Failure) in
        guard replica.rank == 0 else { return }
        let transfer = Transfer(peer: peer, tag: tag, bytes: .init(start: nil, count: 0))
        try replica.exchange(sending: [transfer], phase: Phase("test"))
      }
    }
    #expect(thrown?.code == .software)
    #expect(thrown?.cause.contains("rank \(peer), tag \(tag)") == true)
  }
}
