import Communication
import DataParallel
import Failures
import Testing

@testable import Simulation

/// Counts what a rank sends.
private final class CountingCommunicator: Communicator {
  let base: any Communicator
  var messages = 0
  var bytes = 0

  init(_ base: any Communicator) { self.base = base }

  var rank: Int { base.rank }
  var size: Int { base.size }
  var hosts: [String] { base.hosts }
  var summary: String { base.summary }

  func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure) {
    messages += sends.count
    bytes += sends.reduce(0) { $0 + $1.bytes.count }
    try base.exchange(sends: sends, receives: receives, phase: phase, relay: relay)
  }

  func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions? { try base.shareMemory(byteCount: byteCount) }
  func abort(_ code: ExitCode) -> Never { base.abort(code) }
  func finish() throws(Failure) { try base.finish() }
}

private func schedule(_ ranks: Int, leaves: Int? = nil, parameters: Int) -> ExchangeSchedule {
  ExchangeSchedule(tree: GradientTree(leaves: leaves ?? ranks, ranks: ranks), parameterCount: parameters)
}

private func model(latency: Double, gap: Double, bandwidth: Double, addition: Double = 0) -> CostModel {
  var model = CostModel(secondsPerImage: 1)
  model.network = LinkCost(latency: latency, gap: gap, bandwidth: bandwidth)
  model.node = model.network
  model.additionSecondsPerByte = addition
  return model
}

@Suite struct ExchangeTests {
  struct Case: CustomTestStringConvertible {
    let ranks: Int, leaves: Int, parameters: Int
    let form: ExchangeForm
    var testDescription: String { "\(ranks) ranks, \(leaves) leaves, \(parameters) parameters" }
  }

  static let cases = [
    Case(ranks: 2, leaves: 2, parameters: 20_000, form: .direct),
    Case(ranks: 4, leaves: 8, parameters: 1000, form: .doubling),
    Case(ranks: 3, leaves: 10, parameters: 20_000, form: .direct),
    Case(ranks: 5, leaves: 40, parameters: 3000, form: .direct),
    Case(ranks: 16, leaves: 16, parameters: 20_000, form: .halving),
    Case(ranks: 16, leaves: 16, parameters: 4000, form: .doubling),
    Case(ranks: 8, leaves: 11, parameters: 5000, form: .direct),
  ]

  /// What is simulated is what the real all-reduce does.
  @Test(arguments: cases) func everyRankSendsWhatTheRealOneSends(_ test: Case) throws {
    let sent = try InProcessReplicas.run(count: test.ranks, ranksPerNode: 1) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica)
      let reduction = try OrderedAllReduce(
        communicator: counting, parameterCount: test.parameters, maximumLeaves: test.leaves)
      (counting.messages, counting.bytes) = (0, 0)
      _ = try reduction.reduce(leaves: test.leaves, phase: Phase("test")) { $2.statistics = StepStatistics(samples: 1) }
      return [counting.messages, counting.bytes]
    }
    let schedule = schedule(test.ranks, leaves: test.leaves, parameters: test.parameters)
    #expect(schedule.form == test.form)
    for rank in 0..<test.ranks {
      var (messages, bytes) = (0, 0)
      for exchange in 0..<schedule.exchanges {
        for number in 0..<schedule.sent(exchange, by: rank) {
          messages += 1
          bytes += schedule.message(number, exchange, by: rank).bytes
        }
      }
      #expect([messages, bytes] == sent[rank], "rank \(rank)")
    }
  }

  @Test(arguments: cases) func whatIsSentIsReceived(_ test: Case) {
    let schedule = schedule(test.ranks, leaves: test.leaves, parameters: test.parameters)
    for exchange in 0..<schedule.exchanges {
      var received = Array(repeating: 0, count: test.ranks)
      for rank in 0..<test.ranks {
        for number in 0..<schedule.sent(exchange, by: rank) {
          let message = schedule.message(number, exchange, by: rank)
          #expect(message.peer != rank)
          received[message.peer] += 1
        }
      }
      #expect(received == (0..<test.ranks).map { schedule.received(exchange, by: $0) })
    }
  }

  @Test func ranksThatBeginTogetherTakeWhatTheCountsSay() {
    for (ranks, parameters) in [(2, 8192), (4, 8192), (8, 16384), (16, 65536), (1024, 16), (64, 1 << 20)] {
      let schedule = schedule(ranks, parameters: parameters)
      let model = model(latency: 1e-5, gap: 1e-6, bandwidth: 1e9, addition: 1e-10)
      var simulation = ExchangeSimulation(
        schedule, nodes: NodeLayout(ranks: ranks, ranksPerNode: 1), model: model)
      let ends = simulation.run(Array(repeating: 0, count: ranks))
      let counts = schedule.counts
      let sending = counts.latencies * 1e-5 + counts.gaps * 1e-6 + counts.bytes * 1e-9
      let seconds = sending + counts.added * 1e-10
      for end in ends { #expect(end.time.isNear(seconds), "\(ranks) ranks, \(parameters) parameters") }
    }
  }

  @Test func messagesAreCountedByHand() {
    func expect(_ ranks: Int, _ parameters: Int, _ expected: ExchangeSchedule.Counts) {
      let counts = schedule(ranks, parameters: parameters).counts
      #expect(counts == expected)
    }
    // 64 KiB by four ranks, each to each: of three others slice and statistics, then the finished slice.
    expect(4, 16384, ExchangeSchedule.Counts(latencies: 2, gaps: 9, bytes: 98_496, added: 49_152))
    // 1 KiB by recursive doubling.
    expect(4, 256, ExchangeSchedule.Counts(latencies: 2, gaps: 2, bytes: 2176, added: 2048))
    // 64 KiB by 16 ranks: halves, quarters, eighths, sixteenths, and back.
    expect(16, 16384, ExchangeSchedule.Counts(latencies: 8, gaps: 12, bytes: 123_136, added: 61_440))
    expect(1, 16384, ExchangeSchedule.Counts())
  }

  /// Of two levels that between nodes goes by messages; within one nothing does.
  @Test(arguments: [(4, 2, 8), (6, 3, 13), (8, 4, 8), (6, 2, 31), (3, 3, 7)])
  func nodesSendWhatRealOnesSend(ranks: Int, ranksPerNode: Int, leaves: Int) throws {
    let parameters = 20_000
    let sent = try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode) { (replica) throws(Failure) in
      let counting = CountingCommunicator(replica)
      let reduction = try OrderedAllReduce(
        communicator: counting, parameterCount: parameters, maximumLeaves: leaves)
      (counting.messages, counting.bytes) = (0, 0)
      _ = try reduction.reduce(leaves: leaves, phase: Phase("test")) { $2.statistics = StepStatistics(samples: 1) }
      return [counting.messages, counting.bytes]
    }
    let schedule = ExchangeSchedule(
      tree: GradientTree(leaves: leaves, ranks: ranks), parameterCount: parameters, ranksPerNode: ranksPerNode)
    #expect(schedule.form == (ranks == ranksPerNode ? .shared : .nodes))
    #expect(schedule.messages == sent.reduce(0) { $0 + $1[0] })
    for rank in 0..<ranks where schedule.form == .nodes {
      let messages = (1...2).flatMap { exchange in
        (0..<schedule.sent(exchange, by: rank)).map { schedule.message($0, exchange, by: rank).bytes }
      }
      #expect([messages.count, messages.reduce(0, +)] == sent[rank], "rank \(rank)")
    }
  }

  @Test func theRanksOfANodeShareItsLink() {
    // Recursive doubling: rank 0 and 1, 2 and 3 are on one node each; then 0 and 2, 1 and 3 over the two links.
    var model = model(latency: 0.5, gap: 1, bandwidth: .infinity)
    model.node = LinkCost(latency: 0, gap: 0, bandwidth: .infinity)
    let schedule = schedule(4, parameters: 16)
    var shared = ExchangeSimulation(schedule, nodes: NodeLayout(ranks: 4, ranksPerNode: 2), model: model)
    #expect(shared.run([0, 0, 0, 0]).map(\.time) == [1.5, 2.5, 1.5, 2.5])
    // Who comes first is served first.
    #expect(shared.run([3, 0, 0, 0]).map(\.time).max() == 5.5)
  }

  @Test func theEarliestEventComesFirst() {
    var queue = EventQueue()
    for (time, rank) in [(3.0, 1), (1, 7), (2, 0), (1, 2), (5, 3)] { queue.push(.init(time: time, rank: rank)) }
    var order: [Int] = []
    while let event = queue.pop() { order.append(event.rank) }
    #expect(order == [2, 7, 0, 1, 3])
  }
}
