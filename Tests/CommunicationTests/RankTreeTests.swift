import Failures
import Testing

@testable import Communication

@Suite struct RankTreeTests {
  @Test(arguments: [(1, 0), (2, 0), (3, 2), (8, 0), (9, 4), (13, 0), (64, 63), (70, 1)])
  func everyRankHangsBelowItsParentWithTheRunOfRanksBehindIt(size: Int, root: Int) {
    let trees = (0..<size).map { RankTree(rank: $0, size: size, root: root) }
    for tree in trees {
      #expect(trees[tree.rank].position == tree.position)
      #expect((tree.parent == nil) == (tree.rank == root))
      #expect(tree.children.allSatisfy { $0.parent?.position == tree.position && $0.height < tree.height })
      let below = tree.children.flatMap { Array($0.subtree) } + [tree.position]
      #expect(below.sorted() == Array(tree.subtree))
      #expect(tree.height == (tree.children.map(\.height).max() ?? -1) + 1)
      #expect(tree.depth == (tree.parent?.depth ?? -1) + 1)
      #expect(1 << max(0, tree.children.count - 1) <= size)
    }
  }

  /// Who waits for whom when one rank does not come and all others come at once, and for how much longer than others.
  private func waits(missing: Int, size: Int) -> [(named: Int, relay: Relay)] {
    var waits: [(Int, Relay)] = []
    for tree in (0..<size).map({ RankTree(rank: $0, size: size) }) where tree.rank != missing {
      if let child = tree.children.first(where: { $0.subtree.contains(missing) }) {
        waits.append((child.rank, .receivingUp(tree)))
      } else if let parent = tree.parent {
        // What is sent may be on its way at once, or stay until it is taken.
        if parent.subtree.contains(missing) { waits.append((parent.rank, .sendingUp(tree))) }
        waits.append((parent.rank, .receivingDown(tree, afterBlocks: true)))
      }
    }
    return waits
  }

  @Test(arguments: [9, 10, 16, 21, 32, 64, 70])
  func whoeverWaitsTheShortestNamesTheRankThatIsMissing(size: Int) {
    for missing in 0..<size {
      let waits = waits(missing: missing, size: size)
      let shortest = waits.map(\.relay.levels).min()
      #expect(waits.allSatisfy { $0.relay.levels > shortest ?? 0 || $0.named == missing }, "\(missing) of \(size)")
      // Nobody is sure of a wrong one, whoever is first.
      #expect(waits.allSatisfy { $0.named == missing || !$0.relay.isCertain($0.named, size: size) })
    }
  }

  @Test func aMessageIsSureWhereItCanBe() {
    let phase = Phase("roll call")
    func cause(_ peers: [Int], _ relay: Relay?) -> String {
      Failure.waitedTooLong(for: peers, size: 16, phase: phase, timeout: .seconds(3), relay: relay).cause
    }
    let upward = Relay(levels: 2, isUpward: true)
    #expect(cause([2, 3], nil) == "waited 3 s for ranks 2 and 3 in roll call")
    #expect(cause([9, 12], upward) == "waited 3 s for rank 9 in roll call")
    #expect(cause([12], upward) == "waited 3 s for rank 12, or for a rank that it waits for itself, in roll call")
    #expect(
      cause([8, 12], upward) == "waited 3 s for ranks 8 and 12, or for a rank that these wait for, in roll call")
    #expect(upward.timeout(.seconds(60)) == .seconds(66))
  }

  @Test(arguments: [0, 1, 8, 10, 11]) func aRankThatDoesNotComeToManyIsNamed(missing: Int) throws {
    // On a machine that has kept a rank from its processor another may be first, which then says so.
    let cause = try failureOfBarrier(without: missing, of: 12, timeout: .seconds(2)).cause
    #expect(cause.contains("for rank \(missing)") || cause.contains("or for a rank that it waits for"), "\(cause)")
  }
}
