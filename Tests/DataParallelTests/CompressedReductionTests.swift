import Communication
import Failures
import Testing

@testable import DataParallel

@Suite struct CompressedReductionTests {
  private func leafGradient(_ leaf: Int, _ count: Int, step: Int) -> [Float] {
    var generator = SeededGenerator(UInt64(1000 * step + leaf))
    return (0..<count).map { _ in
      Float.random(in: -1...1, using: &generator) * Float(1 << Int.random(in: 0...15, using: &generator))
    }
  }

  /// The mean gradients of some steps, straight from the definition.
  private func reference(_ compression: Compression, _ count: Int, leaves: [Int]) -> [[UInt32]] {
    var residuals = [[Float]](repeating: [Float](repeating: 0, count: count), count: compression.groups)
    return leaves.enumerated().map { step, leaves in
      func sum(_ node: Range<Int>) -> [Float] {
        if node.count == 1 { return leafGradient(node.lowerBound, count, step: step) }
        let middle = (node.lowerBound + node.upperBound) / 2
        return zip(sum(node.lowerBound..<middle), sum(middle..<node.upperBound)).map { $0 + $1 }
      }
      /// Nil where there is no leaf.
      func total(_ node: Range<Int>, groups: Range<Int>) -> [Float]? {
        guard !node.isEmpty else { return nil }
        let middle = (node.lowerBound + node.upperBound) / 2
        let half = groups.lowerBound + groups.count / 2
        guard groups.count == 1 else {
          let left = total(node.lowerBound..<middle, groups: groups.lowerBound..<half)
          let right = total(middle..<node.upperBound, groups: half..<groups.upperBound)
          guard let left, let right else { return left ?? right }
          return zip(left, right).map { $0 + $1 }
        }
        let corrected = zip(sum(node), residuals[groups.lowerBound]).map { $0 + $1 }
        let sent = PlainCompression.decompressed(compression.form, corrected)
        residuals[groups.lowerBound] = zip(corrected, sent).map { $0 - $1 }
        return sent
      }
      return total(0..<leaves, groups: 0..<compression.groups)?.map { ($0 / Float(5 * leaves)).bitPattern } ?? []
    }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func everyRankHasTheBitsOfTheDefinition(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let compression = Compression(
      allForms[Int(seed) % allForms.count], groups: 1 << Int.random(in: 0...4, using: &generator))
    let ranks = Int.random(in: 1...compression.groups, using: &generator)
    let workers = Int.random(in: 1...3, using: &generator)
    let count = [1, 16, 50, 333, 2000][Int.random(in: 0..<5, using: &generator)]
    let leaves = (0..<6).map { _ in Int.random(in: 1...30, using: &generator) }
    let results = try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
      let reduction = try OrderedAllReduce(
        communicator: replica, parameterCount: count, maximumLeaves: 30, workers: workers, compression: compression)
      var results: [[UInt32]] = []
      for (step, leaves) in leaves.enumerated() {
        let (gradient, statistics) = try reduction.reduce(leaves: leaves, phase: Phase("test", step: step)) {
          $2.floats.update(from: leafGradient($1, count, step: step), count: count)
          $2.statistics = StepStatistics(correct: $1, samples: 5)
        }
        #expect(statistics == StepStatistics(correct: leaves * (leaves - 1) / 2, samples: 5 * leaves))
        results.append((0..<count).map { gradient[$0].bitPattern })
      }
      return results
    }
    let expected = reference(compression, count, leaves: leaves)
    for result in results { #expect(result == expected) }
  }

  @Test func residualsComeToRankZeroAndBackAtAnotherNumberOfRanks() throws {
    let compression = Compression(.topK(share: 0.1), groups: 8)
    func residuals(ranks: Int, startingWith start: [[Float]]?) throws -> [[Float]] {
      try InProcessReplicas.run(count: ranks) { (replica) throws(Failure) in
        let reduction = try OrderedAllReduce(
          communicator: replica, parameterCount: 100, maximumLeaves: 20, compression: compression)
        guard let residuals = reduction.residuals else { return [] as [[Float]] }
        if let start {
          if replica.rank == 0 {
            for (group, values) in start.enumerated() {
              residuals.values(ofGroup: group)?.update(from: values, count: 100)
            }
          }
          var seen: [Float] = []
          try residuals.share(phase: Phase("test")) { seen += $0.bindMemory(to: Float.self) }
          #expect(seen == start.flatMap { $0 })
        }
        let step = start == nil ? 0 : 1
        _ = try reduction.reduce(leaves: 20, phase: Phase("test", step: step)) {
          $2.floats.update(from: leafGradient($1, 100, step: step), count: 100)
          $2.statistics = StepStatistics(samples: 5)
        }
        try residuals.gather(afterStep: step)
        return (0..<8).compactMap { group in
          residuals.values(ofGroup: group).map { values in (0..<100).map { values[$0] } }
        }
      }[0]
    }
    let first = try residuals(ranks: 1, startingWith: nil)
    #expect(first.count == 8 && first.allSatisfy { $0.contains { $0 != 0 } })
    let second = try residuals(ranks: 1, startingWith: first)
    #expect(second != first)
    for ranks in [2, 3, 5, 8] {
      #expect(try residuals(ranks: ranks, startingWith: nil) == first)
      #expect(try residuals(ranks: ranks, startingWith: first) == second)
    }
  }

  @Test func whatDoesNotFitNamesTheSetting() throws {
    func failure(groups: Int, leaves: Int, ranks: Int) -> String? {
      #expect(throws: Failure.self) {
        try Compression(.int8, groups: groups).check(leaves: leaves, ranks: ranks)
      }?.description
    }
    #expect(
      failure(groups: 8, leaves: 5, ranks: 1)
        == "communication.compression_groups is 8, and a batch has 5 microbatches; "
        + "set it to 4 or less, or make training.microbatch smaller")
    #expect(
      failure(groups: 4, leaves: 20, ranks: 5) == "communication.compression_groups is 4, and 5 ranks cannot share 4 "
        + "groups; start at most 4 ranks, or begin a run with more groups, which ends on other bits")
    try Compression(.int8, groups: 4).check(leaves: 4, ranks: 4)
  }
}
