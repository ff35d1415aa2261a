import Communication
import Failures
import Foundation
import Kernels
import Testing

@testable import DataParallel

/// Reductions in which each rank keeps the slice that it finishes, and weights are gathered.
@Suite struct ShardedReductionTests {
  struct Job: CustomTestStringConvertible, Sendable {
    let ranks: Int, ranksPerNode: Int?, form: ExchangeForm?

    var testDescription: String { "\(ranks) ranks, \(ranksPerNode ?? ranks) a node, \(form?.rawValue ?? "any form")" }

    static let all =
      [2, 3, 4, 5, 8].flatMap { ranks in
        [nil, .direct, .shared].map { Job(ranks: ranks, ranksPerNode: nil, form: $0) }
          + [Job(ranks: ranks, ranksPerNode: 1, form: nil)]
      }
      + [2, 4, 8].flatMap { ranks in
        [.doubling, .halving].map { Job(ranks: ranks, ranksPerNode: 1, form: $0) }
      } + [(4, 2), (6, 2), (6, 3), (9, 3)].map { Job(ranks: $0, ranksPerNode: $1, form: .nodes) }

    func run<Result: Sendable>(
      _ body: @escaping @Sendable (any Communicator) throws(Failure) -> Result
    ) throws -> [Result] { try InProcessReplicas.run(count: ranks, ranksPerNode: ranksPerNode, body: body) }

    func reduction(_ communicator: any Communicator, count: Int, leaves: Int) throws(Failure) -> OrderedAllReduce {
      try OrderedAllReduce(
        communicator: communicator, parameterCount: count, maximumLeaves: leaves, isSharded: true, form: form)
    }
  }

  /// What one rank has seen of a batch.
  private struct Seen: Sendable {
    let slice: Range<Int>
    let gradient: [UInt32]
    let squaredNorm: UInt64
    let isFinite: Bool
    let statistics: StepStatistics
    /// What each rank has put into its slice, after it was gathered.
    let weights: [Float]
    /// The gradient, after it was gathered.
    let whole: [UInt32]
  }

  @Test(arguments: Job.all) func slicesHaveTheBitsOfTheWholeAndAreGathered(_ job: Job) throws {
    for count in [1, 16, 50, 333, 5000] {
      // Long batches and short ones, some ranks without a leaf, in pairs and not.
      let leaves = [2 * job.ranks + 3, 1, job.ranks, 2, 2 * job.ranks]
      let most = 2 * job.ranks + 3
      let alone = try OrderedAllReduce(communicator: SingleProcess(), parameterCount: count, maximumLeaves: most)
      let all = try job.run { (replica) throws(Failure) in
        let reduction = try job.reduction(replica, count: count, leaves: most)
        let weights = try GradientVector(count: count)
        var seen: [Seen] = []
        for (step, number) in leaves.enumerated() {
          let statistics = try sum(reduction, number, step: step, count: count)
          let slice = reduction.slice.clamped(to: 0..<count)
          let gradient = slice.map { reduction.gradient[$0].bitPattern }
          let norm = try reduction.squaredNorm(phase: Phase("test"))
          for index in slice { weights.floats[index] = Float(10_000 * step + index) }
          try reduction.gather(weights.floats, phase: Phase("test"))
          let isFinite = try reduction.isFinite(phase: Phase("test"))
          // As often as one likes, and not in step.
          for _ in 0..<2 { try reduction.gatherGradientApart(phase: Phase("test")) }
          seen.append(
            Seen(
              slice: slice, gradient: gradient, squaredNorm: norm.bitPattern, isFinite: isFinite,
              statistics: statistics, weights: (0..<count).map { weights.floats[$0] },
              whole: (0..<count).map { reduction.gradient[$0].bitPattern }))
        }
        return seen
      }
      for (step, number) in leaves.enumerated() {
        let statistics = try sum(alone, number, step: step, count: count)
        let bits = (0..<count).map { alone.gradient[$0].bitPattern }
        // Slices share the vector among them, and stay what they are.
        #expect(all.flatMap { Array($0[step].slice) }.sorted() == Array(0..<count))
        for seen in all {
          #expect(seen[step].slice == seen[0].slice)
          #expect(seen[step].gradient == Array(bits[seen[step].slice]))
          #expect(seen[step].whole == bits)
          #expect(seen[step].squaredNorm == Kernels.squaredNorm(count: count, alone.gradient).bitPattern)
          #expect(seen[step].isFinite)
          #expect(seen[step].statistics == statistics)
          #expect(seen[step].weights == (0..<count).map { Float(10_000 * step + $0) })
        }
      }
    }
  }

  @Test func slicesDifferByAUnitAtMost() throws {
    for job in Job.all {
      let lengths = try job.run { (replica) throws(Failure) in
        try job.reduction(replica, count: 5000, leaves: job.ranks).slice.count
      }
      #expect(lengths.allSatisfy { $0 % 16 == 0 } && lengths.reduce(0, +) == 5008)
      #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 2 * 16, "\(job): \(lengths)")
    }
  }

  @Test(arguments: Job.all) func noMoreTravelsThanWithoutSlices(_ job: Job) throws {
    let count = 16 * 8 * 9 * 25
    for leaves in [job.ranks, 2 * job.ranks + 3] {
      let bytes = try job.run { (replica) throws(Failure) in
        var bytes: [Int] = []
        for isSharded in [false, true] {
          let counting = CountingCommunicator(replica, sharesMemory: true)
          let reduction = try OrderedAllReduce(
            communicator: counting, parameterCount: count, maximumLeaves: leaves, isSharded: isSharded,
            form: job.form == .doubling ? .direct : job.form)
          let weights = try GradientVector(count: count)
          _ = try sum(reduction, leaves, step: 0, count: count)
          _ = try isSharded ? reduction.isFinite(phase: Phase("test")) : true
          try reduction.gather(isSharded ? weights.floats : reduction.mean.floats, phase: Phase("test"))
          bytes.append(counting.bytes)
        }
        return bytes
      }
      for rank in bytes { #expect(rank[1] == rank[0]) }
    }
  }

  /// One number that is not finite, or a sum of finite ones that overflows, is known to all; large ones alone are no reason.
  @Test(arguments: Job.all) func whatIsNotFiniteIsKnownToAll(_ job: Job) throws {
    let (count, leaves) = (333, 2 * job.ranks)
    let cases: [(values: [Float], isFinite: Bool)] = [
      ([.infinity], false), ([.nan], false), ([-.infinity, .infinity], false),
      ([.greatestFiniteMagnitude, .greatestFiniteMagnitude], false), ([.greatestFiniteMagnitude], true),
      ([.greatestFiniteMagnitude, -.greatestFiniteMagnitude], true), ([1], true),
    ]
    let verdicts = try job.run { (replica) throws(Failure) in
      let reduction = try job.reduction(replica, count: count, leaves: leaves)
      var verdicts: [Bool] = []
      for (number, test) in cases.enumerated() {
        // Of the first leaves, whose sum is a node of the tree, at a place that another rank has each time.
        let place = number * 50
        _ = try reduction.sum(leaves: leaves, phase: Phase("test")) { _, leaf, vector in
          vector.floats.update(repeating: 0, count: count)
          if leaf < test.values.count { vector.floats[place] = test.values[leaf] }
          vector.statistics = StepStatistics(samples: 1)
        }
        verdicts.append(try reduction.isFinite(phase: Phase("test")))
        try reduction.gather(reduction.mean.floats, phase: Phase("test"))
      }
      return verdicts
    }
    for rank in verdicts { #expect(rank == cases.map(\.isFinite)) }
  }

  /// Nobody names those who wait for it themselves.
  @Test func aRankThatDoesNotComeToTheNormIsNamedAlone() throws {
    let thrown = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 4, timeout: .seconds(1)) { (replica) throws(Failure) in
        let reduction = try OrderedAllReduce(
          communicator: replica, parameterCount: 200, maximumLeaves: 4, isSharded: true, form: .direct)
        _ = try sum(reduction, 4, step: 0, count: 200)
        if replica.rank == 1 { usleep(2_500_000) }
        _ = try reduction.squaredNorm(phase: Phase("norm"))
      }
    }
    #expect(thrown?.cause.contains("for rank 1 in norm") == true, "\(thrown?.cause ?? "")")
  }

  @Test func aloneAndWithCompressionNothingIsSharded() throws {
    let alone = try OrderedAllReduce(
      communicator: SingleProcess(), parameterCount: 50, maximumLeaves: 4, isSharded: true)
    #expect(!alone.isSharded && alone.slice == 0..<64)
    let compressed = try InProcessReplicas.run(count: 2) { (replica) throws(Failure) in
      try OrderedAllReduce(
        communicator: replica, parameterCount: 50, maximumLeaves: 4, compression: Compression(.int8, groups: 2),
        isSharded: true
      ).isSharded
    }
    #expect(compressed == [false, false])
  }
}

private func sum(
  _ reduction: OrderedAllReduce, _ leaves: Int, step: Int, count: Int
) throws(Failure) -> StepStatistics {
  try reduction.sum(leaves: leaves, phase: Phase("test", step: step)) { _, leaf, vector in
    var generator = SeededGenerator(UInt64(1000 * step + leaf))
    for index in 0..<count {
      vector.floats[index] =
        Float.random(in: -1...1, using: &generator) * Float(1 << Int.random(in: 0...15, using: &generator))
    }
    vector.statistics = StepStatistics(lossSum: Double(leaf) / 3, correct: leaf, samples: 2)
  }
}
