import Communication
import Failures
import Testing

@testable import DataParallel

@Suite struct StateAgreementTests {
  /// Three tensors of five numbers, of which some ranks hold one with another bit.
  private func check(ranks: Int, flips: [Int: Int]) throws(Failure) {
    _ = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
      let values = UnsafeMutablePointer<Float>.allocate(capacity: 15)
      defer { values.deallocate() }
      for index in 0..<15 { values[index] = Float(index) / 7 }
      if let flip = flips[communicator.rank] {
        values[flip] = Float(bitPattern: values[flip].bitPattern ^ 1)
      }
      let parts = ["W1", "b1", "W2"].enumerated().map { place, name in
        StateAgreement.Part(name: name, values: values + 5 * place, count: 5)
      }
      let agreement = StateAgreement(communicator: communicator, parts: parts)
      do throws(Failure) { try agreement.check(afterStep: 40) } catch {
        // What ranks throw alike: each has it from itself, not from another.
        throw Failure(error.code, "by itself: \(error.cause)", remedy: error.remedy)
      }
    }
  }

  @Test(arguments: 1...5) func equalStatesAgree(_ ranks: Int) throws {
    try check(ranks: ranks, flips: [:])
    // One error that all have is none.
    try check(ranks: ranks, flips: Dictionary(uniqueKeysWithValues: (0..<ranks).map { ($0, 3) }))
  }

  @Test func theRanksAndTheirFirstTensorsAreNamed() throws {
    for (ranks, flips, expected, reference) in [
      (2, [1: 6], ["rank 1 (": "first in b1"], "rank 0 ("), (2, [0: 14], ["rank 1 (": "first in W2"], "rank 0 ("),
      (3, [0: 0], ["rank 0 (": "first in W1"], "most ranks"),
      (5, [1: 14, 3: 2], ["rank 1 (": "first in W2", "rank 3 (": "first in W1"], "most ranks"),
      (4, [2: 9, 3: 9], ["rank 2 (": "first in b1", "rank 3 (": "first in b1"], "rank 0 ("),
    ] {
      let failure = #expect(throws: Failure.self) { try check(ranks: ranks, flips: flips) }
      let cause = failure?.cause ?? ""
      #expect(failure?.code == .failure)
      #expect(cause.contains("after step 40 not all ranks have the state of \(reference)"), "\(cause)")
      let places = cause.split(separator: "it differs on ").last.map { $0.components(", on ") } ?? []
      #expect(places.count == expected.count)
      for (rank, tensor) in expected {
        #expect(places.contains { $0.hasPrefix(rank) && $0.hasSuffix(tensor) }, "\(cause)")
      }
    }
  }
}

extension Substring {
  fileprivate func components(_ separator: String) -> [Substring] { split(separator: separator) }
}
