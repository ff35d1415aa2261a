import Communication
import Failures
import NeuralNetwork
import Testing

@testable import Timeline

@Suite struct RecordingTests {
  @Test func aRingKeepsTheLastMomentsAndCountsTheOthers() {
    let ring = MomentRing(capacity: 8)
    for number in 0..<5 { ring.add(.microbatch, number: number) }
    #expect(ring.dropped == 0)
    #expect(ring.remaining.map(\.number) == [0, 1, 2, 3, 4])
    let first = ring.firstNanoseconds
    #expect(first == ring.remaining[0].nanoseconds)
    for number in 5..<21 { ring.add(.microbatch, number: number) }
    #expect(ring.dropped == 13)
    #expect(ring.remaining.map(\.number) == [13, 14, 15, 16, 17, 18, 19, 20])
    #expect(ring.firstNanoseconds == first)
    #expect(zip(ring.remaining, ring.remaining.dropFirst()).allSatisfy { $0.nanoseconds <= $1.nanoseconds })
  }

  @Test func aMomentHasSixteenBytes() { #expect(MemoryLayout<Moment>.stride == 16) }

  @Test func manyThreadsKeepLessEach() {
    #expect(TimelineRecorder.capacity(threads: 1) == TimelineRecorder.largestCapacity)
    for threads in [1, 2, 3, 7, 16, 17, 100, 1000] {
      let capacity = TimelineRecorder.capacity(threads: threads)
      #expect(capacity & (capacity - 1) == 0)
      #expect(capacity * threads <= TimelineRecorder.totalCapacity)
      #expect(capacity == TimelineRecorder.largestCapacity || 2 * capacity * threads > TimelineRecorder.totalCapacity)
    }
  }

  @Test func momentsTravelWhole() throws {
    // Another number of threads and of moments on each.
    func thread(_ number: Int, rank: Int) -> RankMoments.Thread {
      var moments: [Moment] = []
      for i in 0..<(100 * rank + number) {
        moments.append(
          Moment(
            nanoseconds: UInt64.max - UInt64(i), kind: i % 2 == 0 ? .completion : .step, layer: UInt16.max - UInt16(i),
            number: UInt32.max - UInt32(i)))
      }
      return RankMoments.Thread(
        dropped: 10 * rank + number, firstNanoseconds: number == 1 ? nil : 12345, moments: moments)
    }
    func moments(_ rank: Int) -> RankMoments {
      RankMoments(
        rank: rank, processStart: rank == 1 ? nil : UInt64(1000 + rank),
        threads: (0...rank).map { thread($0, rank: rank) })
    }
    let all = (0..<3).map(moments)
    for moments in all { #expect(RankMoments(rank: moments.rank, words: moments.words) == moments) }
    let gathered = try InProcessReplicas.run(count: 3) { (communicator) throws(Failure) in
      try all[communicator.rank].gather(on: communicator)
    }
    #expect(gathered[0] == all)
    #expect(gathered[1] == nil && gathered[2] == nil)
    #expect(try all[0].gather(on: SingleProcess()) == [all[0]])
  }

  @Test func momentsAreMovedToTheClockOfRankZero() {
    let ring = MomentRing(capacity: 4)
    ring.add(.step)
    ring.add(.betweenSteps)
    let own = ring.remaining.map(\.nanoseconds)
    for offset: Int64 in [0, 1_000_000, -1_000_000] {
      let moved = RankMoments(rank: 1, processStart: 5_000_000, rings: [ring], clockOffset: offset)
      #expect(moved.threads[0].moments.map { Int64($0.nanoseconds) } == own.map { Int64($0) + offset })
      #expect(moved.threads[0].firstNanoseconds == moved.threads[0].moments[0].nanoseconds)
      #expect(moved.processStart == UInt64(5_000_000 + offset))
    }
  }

  /// Clocks that are apart by years, and a bound that does not depend on how busy the machine is.
  @Test func clocksAreComparedWithinTheTimeOfAnAnswer() throws {
    let skews: [Int64] = [0, 1 << 50, -(1 << 40), 12_345, 0]
    let bounds = try InProcessReplicas.run(count: skews.count) { (communicator) throws(Failure) in
      let skew = skews[communicator.rank]
      let start = monotonicNanoseconds()
      let offset = try ClockOffset.measured(communicator, for: [1, 2, 3]) {
        monotonicNanoseconds() &+ UInt64(bitPattern: skew)
      }
      return (offset: offset, duration: Int64(monotonicNanoseconds() - start))
    }
    #expect(bounds[0].offset == 0 && bounds[4].offset == 0)
    for rank in 1...3 {
      #expect(abs(bounds[rank].offset + skews[rank]) <= bounds[rank].duration)
    }
  }

  @Test func ranksOfOneSystemShareItsClock() throws {
    let offsets = try InProcessReplicas.run(count: 3) { (communicator) throws(Failure) in
      try ClockOffset.toRankZero(communicator)
    }
    #expect(offsets == [0, 0, 0])
  }
}
