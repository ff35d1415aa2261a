import Communication
import Failures
import Synchronization
import Testing

@testable import DataParallel

/// The gradient and statistics that a leaf has in these tests: floats of very different sizes, so that another order
/// of addition gives other bits.
private func leafGradient(_ leaf: Int, _ count: Int, step: Int) -> (floats: [Float], statistics: StepStatistics) {
  var generator = SeededGenerator(UInt64(1000 * step + leaf))
  let floats = (0..<count).map { _ in
    Float.random(in: -1...1, using: &generator) * Float(1 << Int.random(in: 0...15, using: &generator))
  }
  return (
    floats,
    StepStatistics(
      lossSum: Double.random(in: 0...1, using: &generator), correct: leaf % 4, samples: 4 + leaf % 2,
      nonFinite: leaf % 5 == 0 ? 1 : 0, stopRequests: leaf % 3)
  )
}

/// The sum over leaves [a, b), straight from the definition of the tree.
private func reference(_ node: Range<Int>, _ count: Int, step: Int) -> (floats: [Float], statistics: StepStatistics) {
  if node.count == 1 { return leafGradient(node.lowerBound, count, step: step) }
  let middle = (node.lowerBound + node.upperBound) / 2
  let left = reference(node.lowerBound..<middle, count, step: step)
  let right = reference(middle..<node.upperBound, count, step: step)
  let (first, second) = (left.statistics, right.statistics)
  return (
    zip(left.floats, right.floats).map { $0 + $1 },
    StepStatistics(
      lossSum: first.lossSum + second.lossSum, correct: first.correct + second.correct,
      samples: first.samples + second.samples, nonFinite: first.nonFinite + second.nonFinite,
      stopRequests: first.stopRequests + second.stopRequests)
  )
}

private func fill(_ vector: GradientVector, _ leaf: Int, step: Int) {
  let (floats, statistics) = leafGradient(leaf, vector.count, step: step)
  vector.floats.update(from: floats, count: vector.count)
  vector.statistics = statistics
}

@Suite struct OrderedAllReduceTests {
  struct Case: CustomTestStringConvertible {
    let ranks: Int, workers: Int, count: Int, leaves: [Int]

    init(seed: UInt64) {
      var generator = SeededGenerator(seed)
      ranks = Int(1 + seed % 9)
      workers = Int.random(in: 1...3, using: &generator)
      count = [1, 7, 16, 50, 333, 1000, 20_000][Int.random(in: 0..<7, using: &generator)]
      leaves = (0..<4).map { _ in Int.random(in: 1...40, using: &generator) }
    }

    var testDescription: String { "\(ranks) ranks, \(workers) workers, \(count) floats, \(leaves) leaves" }
  }

  @Test(arguments: (0..<45 as Range<UInt64>).map { Case(seed: $0) })
  func everyRankHasTheBitsOfTheDefinition(_ test: Case) throws {
    let results = try InProcessReplicas.run(count: test.ranks) { (replica) throws(Failure) in
      let reduction = try OrderedAllReduce(
        communicator: replica, parameterCount: test.count, maximumLeaves: 40, workers: test.workers)
      var results: [(bits: [UInt32], statistics: StepStatistics)] = []
      for (step, leaves) in test.leaves.enumerated() {
        let (gradient, statistics) = try reduction.reduce(leaves: leaves, phase: Phase("test", step: step)) {
          fill($2, $1, step: step)
        }
        results.append(((0..<test.count).map { gradient[$0].bitPattern }, statistics))
      }
      return results
    }
    for (step, leaves) in test.leaves.enumerated() {
      let expected = reference(0..<leaves, test.count, step: step)
      let divisor = Float(expected.statistics.samples)
      let bits = expected.floats.map { ($0 / divisor).bitPattern }
      for result in results {
        #expect(result[step].bits == bits)
        #expect(result[step].statistics == expected.statistics)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5])
  func oneProcessHasTheSameBitsWithAnyNumberOfWorkers(workers: Int) throws {
    let reduction = try OrderedAllReduce(
      communicator: SingleProcess(), parameterCount: 300, maximumLeaves: 20, workers: workers)
    for leaves in [20, 7, 3, 20] {
      let (gradient, statistics) = try reduction.reduce(leaves: leaves, phase: Phase("test")) { fill($2, $1, step: 0) }
      let expected = reference(0..<leaves, 300, step: 0)
      #expect(
        (0..<300).map { gradient[$0].bitPattern }
          == expected.floats.map { ($0 / Float(expected.statistics.samples)).bitPattern })
      #expect(statistics == expected.statistics)
    }
  }

  /// Twenty leaves on two ranks: no more vectors than a post-order walk needs.
  @Test func aRankNeedsOneVectorALevel() {
    let plan = ReductionPlan(tree: GradientTree(leaves: 20, ranks: 1), rank: 0, workers: 1)
    #expect(plan.slotCount <= 6)
    let half = ReductionPlan(tree: GradientTree(leaves: 20, ranks: 2), rank: 1, workers: 1)
    #expect(half.slotCount <= 5)
  }

  @Test(arguments: [1, 2, 3], [1, 2, 4])
  func everyLeafIsComputedOnceWithOneAtATimeOnAWorker(ranks: Int, workers: Int) throws {
    let computed = Mutex<[Int]>([])
    let overlaps = Mutex(0)
    _ = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
      let reduction = try OrderedAllReduce(
        communicator: replica, parameterCount: 10, maximumLeaves: 13, workers: workers)
      let busy = Mutex<Set<Int>>([])
      _ = try reduction.reduce(leaves: 13, phase: Phase("test")) { worker, leaf, vector in
        if !busy.withLock({ $0.insert(worker).inserted }) || worker >= workers { overlaps.withLock { $0 += 1 } }
        computed.withLock { $0.append(leaf) }
        fill(vector, leaf, step: 0)
        busy.withLock { _ = $0.remove(worker) }
      }
    }
    #expect(computed.withLock { $0.sorted() } == Array(0..<13))
    #expect(overlaps.withLock { $0 } == 0)
  }

  @Test(arguments: [1, 2, 4])
  func theFailureOfTheFirstLeafThatFailedIsThrownAndTheNextStepIsClean(workers: Int) throws {
    let reduction = try OrderedAllReduce(
      communicator: SingleProcess(), parameterCount: 10, maximumLeaves: 8, workers: workers)
    let failure = #expect(throws: Failure.self) {
      _ = try reduction.reduce(leaves: 8, phase: Phase("test")) { (_, leaf, vector) throws(Failure) in
        if leaf >= 3 { throw Failure(.badData, "leaf \(leaf)", remedy: "") }
        fill(vector, leaf, step: 0)
      }
    }
    #expect(failure?.cause == "leaf 3")
    let (_, statistics) = try reduction.reduce(leaves: 8, phase: Phase("test")) { fill($2, $1, step: 0) }
    #expect(statistics == reference(0..<8, 10, step: 0).statistics)
  }

  @Test func statisticsOfALeafStartAtZero() throws {
    let reduction = try OrderedAllReduce(communicator: SingleProcess(), parameterCount: 4, maximumLeaves: 4)
    for _ in 0..<2 {
      let (_, statistics) = try reduction.reduce(leaves: 4, phase: Phase("test")) { _, leaf, vector in
        if leaf == 0 { vector.statistics.samples += 1 }
      }
      #expect(statistics == StepStatistics(samples: 1))
    }
  }

  @Test(arguments: [0, -1, 21])
  func aNumberOfLeavesThatWasNotPlannedForIsADefect(leaves: Int) throws {
    let reduction = try OrderedAllReduce(communicator: SingleProcess(), parameterCount: 4, maximumLeaves: 20)
    let failure = #expect(throws: Failure.self) {
      _ = try reduction.reduce(leaves: leaves, phase: Phase("test")) { fill($2, $1, step: 0) }
    }
    #expect(failure?.code == .software)
  }

  @Test func aBatchWithoutSamplesIsADefect() throws {
    let reduction = try OrderedAllReduce(communicator: SingleProcess(), parameterCount: 4, maximumLeaves: 20)
    let failure = #expect(throws: Failure.self) {
      _ = try reduction.reduce(leaves: 20, phase: Phase("gradient exchange", step: 3)) { _, _, _ in }
    }
    #expect(failure?.cause == "no samples were counted in gradient exchange, step 3")
  }

  @Test func anObserverSeesTheStagesInOrder() throws {
    final class Log: ReductionObserver {
      let stages = Mutex<[ReductionStage]>([])
      func worker(_ worker: Int, enters stage: ReductionStage) {
        stages.withLock { if $0.last != stage { $0.append(stage) } }
      }
    }
    let reduction = try OrderedAllReduce(communicator: SingleProcess(), parameterCount: 4, maximumLeaves: 2)
    let log = Log()
    reduction.observer = log
    _ = try reduction.reduce(leaves: 2, phase: Phase("test")) { fill($2, $1, step: 0) }
    #expect(log.stages.withLock { $0 } == [.computation, .addition, .scattering, .finishing, .gathering, .idle])
  }
}
