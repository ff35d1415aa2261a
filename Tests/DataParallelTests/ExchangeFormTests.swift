import Communication
import Failures
import Testing

@testable import DataParallel

/// The forms of exchange between ranks that the tree pairs: the same bits, and how many messages.
@Suite struct ExchangeFormTests {
  @Test(arguments: [2, 4, 8, 16], ExchangeForm.allCases)
  func everyFormHasTheBitsOfOneProcess(ranks: Int, form: ExchangeForm) throws {
    for count in [1, 7, 16, 50, 333, 1000, 9000] {
      // The last but one is not shared in pairs, whatever is asked for.
      for leaves in [ranks, 2 * ranks, 3 * ranks, 2 * ranks + 3, ranks] {
        let expected = try mean(SingleProcess(), count, leaves, .direct)
        let all = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
          try mean(replica, count, leaves, form)
        }
        for result in all { #expect(result == expected, "\(count) floats, \(leaves) leaves") }
      }
    }
  }

  /// One reduction after another, long batches and short ones, some ranks without a leaf.
  @Test(arguments: 2...7, [ExchangeForm.direct, .shared])
  func anyNumberOfRanksAndLeaves(ranks: Int, form: ExchangeForm) throws {
    for count in [0, 9, 5000] {
      let leaves = [2 * ranks + 3, 1, ranks, 2, 2 * ranks + 3]
      let expected = try means(SingleProcess(), count, leaves, .direct)
      let all = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
        try means(replica, count, leaves, form)
      }
      for result in all { #expect(result == expected, "\(count) floats") }
    }
  }

  @Test(arguments: [(4, 2), (6, 2), (6, 3), (8, 4), (9, 3), (12, 2)])
  func nodesHaveTheBitsOfOneProcess(ranks: Int, ranksPerNode: Int) throws {
    for count in [0, 9, 333, 5000] {
      for leaves in [[2 * ranks + 3, 1, ranks, 2, 2 * ranks + 3], [ranks, 3 * ranks], [5 * ranks - 1]] {
        let expected = try means(SingleProcess(), count, leaves, .direct)
        let all = try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode) { (replica) throws(Failure) in
          try means(replica, count, leaves, .nodes)
        }
        for result in all { #expect(result == expected, "\(count) floats, \(leaves) leaves") }
      }
    }
  }

  /// Of one node's vector, half goes over the link and half of the mean comes back, whatever number of ranks it has.
  @Test(arguments: [2, 4]) func aNodeSendsItsVectorOnce(ranksPerNode: Int) throws {
    let (ranks, count) = (2 * ranksPerNode, 16 * 8 * 100)
    let bytes = try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica, sharesMemory: true)
      let reduction = try OrderedAllReduce(communicator: counting, parameterCount: count, maximumLeaves: ranks)
      _ = try mean(reduction, count, ranks)
      return counting.bytes
    }
    let statistics = 64 * ranksPerNode
    #expect(bytes[..<ranksPerNode].reduce(0, +) == count * 4 + statistics)
  }

  @Test func unevenNodesGoByMessages() throws {
    let shares = try InProcessReplicas.run(count: 5, ranksPerNode: 2) { (replica) throws(Failure) in
      try OrderedAllReduce(communicator: replica, parameterCount: 5000, maximumLeaves: 5).form == .nodes
    }
    #expect(shares == [false, false, false, false, false])
  }

  /// 14 leaves have more roots on a rank than 15, for which there is room: every other batch goes by messages.
  @Test(arguments: [nil, 3]) func batchesWithMoreRootsGoByMessages(ranksPerNode: Int?) throws {
    let (ranks, leaves) = (ranksPerNode.map { 2 * $0 } ?? 3, ranksPerNode == nil ? [15, 14, 15, 14] : [30, 28, 30])
    let expected = try means(SingleProcess(), 500, leaves, .direct)
    let all = try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode) { (replica) throws(Failure) in
      try means(replica, 500, leaves, ranksPerNode == nil ? .shared : .nodes)
    }
    for result in all { #expect(result == expected) }
  }

  @Test func ranksOfOneNodeSendNoGradients() throws {
    let (messages, shares) = try InProcessReplicas.run(count: 3) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica, sharesMemory: true)
      let reduction = try OrderedAllReduce(communicator: counting, parameterCount: 5000, maximumLeaves: 7)
      for _ in 0..<3 { _ = try mean(reduction, 5000, 7) }
      return (counting.messages, reduction.form == .shared)
    }.reduce(into: (0, true)) { $0 = ($0.0 + $1.0, $0.1 && $1.1) }
    #expect(messages == 0 && shares)
  }

  @Test func whatIsTooLargeToShareGoesByMessages() throws {
    let floats = SharedRoots.largestMemory / 16
    let shares = try InProcessReplicas.run(count: 4) { (replica) throws(Failure) in
      try OrderedAllReduce(communicator: replica, parameterCount: floats, maximumLeaves: 4).form == .shared
    }
    #expect(shares == [false, false, false, false])
  }

  @Test func messagesGrowWithTheLogarithmOfTheRanks() throws {
    for (ranks, rounds) in [(2, 1), (4, 2), (8, 3), (16, 4), (32, 5)] {
      let doubling = try messages(ranks, count: 5000, .doubling)
      #expect(doubling.allSatisfy { $0 == rounds })
      // Half a vector and its statistics, then what is finished.
      let halving = try messages(ranks, count: 5000, .halving)
      #expect(halving.allSatisfy { $0 == 3 * rounds })
    }
  }

  @Test func halvingMovesNoMoreThanHasToBeMoved() throws {
    let (ranks, count) = (8, 16 * 8 * 100)
    let bytes = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica)
      _ = try mean(counting, count, ranks, .halving)
      return counting.bytes
    }
    let statistics = 3 * 64
    #expect(bytes.allSatisfy { $0 == 2 * count * 4 * (ranks - 1) / ranks + statistics })
  }

  @Test func theFormIsChosenBySizeAndRanks() {
    #expect(ExchangeForm.suited(toBytes: 4, ranks: 2) == .doubling)
    #expect(ExchangeForm.suited(toBytes: 494_208, ranks: 4) == .direct)
    #expect(ExchangeForm.suited(toBytes: 494_208, ranks: 64) == .halving)
  }

  private func messages(_ ranks: Int, count: Int, _ form: ExchangeForm) throws -> [Int] {
    try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica)
      _ = try mean(counting, count, ranks, form)
      return counting.messages
    }
  }
}

/// The bits of the mean gradient of leaves whose floats depend on their number alone.
private func mean(
  _ communicator: any Communicator, _ count: Int, _ leaves: Int, _ form: ExchangeForm
) throws(Failure) -> [UInt32] {
  try means(communicator, count, [leaves], form)
}

/// The same of several batches, one after another.
private func means(
  _ communicator: any Communicator, _ count: Int, _ leaves: [Int], _ form: ExchangeForm
) throws(Failure) -> [UInt32] {
  let reduction = try OrderedAllReduce(
    communicator: communicator, parameterCount: count, maximumLeaves: leaves.max() ?? 1, form: form)
  var bits: [UInt32] = []
  for number in leaves { bits += try mean(reduction, count, number) }
  return bits
}

private func mean(_ reduction: OrderedAllReduce, _ count: Int, _ leaves: Int) throws(Failure) -> [UInt32] {
  let (gradient, statistics) = try reduction.reduce(leaves: leaves, phase: Phase("test")) { _, leaf, vector in
    var generator = SeededGenerator(UInt64(leaf))
    for index in 0..<count {
      vector.floats[index] =
        Float.random(in: -1...1, using: &generator) * Float(1 << Int.random(in: 0...15, using: &generator))
    }
    vector.statistics = StepStatistics(lossSum: Double(leaf) / 3, correct: leaf, samples: 2)
  }
  return (0..<count).map { gradient[$0].bitPattern } + [UInt32(statistics.correct), UInt32(statistics.samples)]
}

/// Counts what another communicator sends.
final class CountingCommunicator: Communicator {
  private let inner: any Communicator
  private(set) var messages = 0
  private(set) var bytes = 0

  private let sharesMemory: Bool

  init(_ inner: any Communicator, sharesMemory: Bool = false) {
    self.inner = inner
    self.sharesMemory = sharesMemory
  }

  func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions? {
    sharesMemory ? try inner.shareMemory(byteCount: byteCount) : nil
  }

  var rank: Int { inner.rank }
  var size: Int { inner.size }
  var hosts: [String] { inner.hosts }
  var summary: String { inner.summary }

  func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure) {
    messages += sends.count
    bytes += sends.reduce(0) { $0 + $1.bytes.count }
    try inner.exchange(sends: sends, receives: receives, phase: phase, relay: relay)
  }

  func abort(_ code: ExitCode) -> Never { inner.abort(code) }

  func finish() throws(Failure) { try inner.finish() }
}
