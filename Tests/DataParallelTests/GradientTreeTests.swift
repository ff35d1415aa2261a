import Failures
import Testing

@testable import DataParallel

@Suite struct GradientTreeTests {
  /// Every node over the leaves of a tree, by its definition alone.
  private func nodes(_ node: Range<Int>) -> Set<Range<Int>> {
    guard node.count > 1 else { return [node] }
    let middle = (node.lowerBound + node.upperBound) / 2
    return nodes(node.lowerBound..<middle).union(nodes(middle..<node.upperBound)).union([node])
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func rootsCoverEachRanksLeavesOnceWithAsLargeNodesAsThereAre(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let leaves = Int.random(in: 1...130, using: &generator)
    let ranks = Int.random(in: 1...17, using: &generator)
    let tree = GradientTree(leaves: leaves, ranks: ranks)
    let all = nodes(0..<leaves)
    var next = 0
    for rank in 0..<ranks {
      let run = tree.leaves(ofRank: rank)
      #expect(run == rank * leaves / ranks..<(rank + 1) * leaves / ranks)
      for root in tree.roots(ofRank: rank) {
        #expect(root.lowerBound == next && !root.isEmpty)
        #expect(all.contains(root))
        next = root.upperBound
        let larger = all.filter { $0 != root && $0.lowerBound <= root.lowerBound && $0.upperBound >= root.upperBound }
        #expect(larger.allSatisfy { $0.lowerBound < run.lowerBound || $0.upperBound > run.upperBound })
      }
      #expect(next == run.upperBound)
    }
    #expect(next == leaves)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func ranksOfATreeThatIsCutHoldWholeGroupsAndAddNoFurther(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let leaves = Int.random(in: 1...70, using: &generator)
    let groups = 1 << Int.random(in: 0...4, using: &generator)
    let ranks = Int.random(in: 1...groups, using: &generator)
    let tree = GradientTree(leaves: leaves, ranks: ranks, groups: groups)
    let nodes = tree.groupNodes
    #expect(nodes.count == groups)
    #expect(nodes.flatMap(Array.init) == Array(0..<leaves))
    let all = self.nodes(0..<leaves)
    #expect(nodes.allSatisfy { $0.isEmpty || all.contains($0) })
    // Every group has a leaf where there are enough.
    if leaves >= groups { #expect(nodes.allSatisfy { !$0.isEmpty }) }
    #expect((0..<ranks).flatMap { tree.roots(ofRank: $0) } == nodes.filter { !$0.isEmpty })
    #expect((0..<ranks).flatMap { Array(tree.leaves(ofRank: $0)) } == Array(0..<leaves))
  }

  @Test(arguments: [1, 2, 4, 8, 16])
  func aPowerOfTwoOfRanksHasOneRootEach(ranks: Int) {
    // Rounding is the tree's own up to 4 ranks; above, the leaves have to divide.
    for leaves in stride(from: ranks, through: 160, by: ranks <= 4 ? 1 : ranks) {
      let tree = GradientTree(leaves: leaves, ranks: ranks)
      #expect((0..<ranks).allSatisfy { tree.roots(ofRank: $0).count == 1 }, "\(leaves) leaves")
    }
  }

  @Test func otherNumbersOfRanksHaveFewRootsEach() {
    func rootCounts(leaves: Int, ranks: Int) -> [Int] {
      let tree = GradientTree(leaves: leaves, ranks: ranks)
      return (0..<ranks).map { tree.roots(ofRank: $0).count }
    }
    #expect(rootCounts(leaves: 20, ranks: 3) == [2, 4, 2])
    #expect(rootCounts(leaves: 20, ranks: 5) == [3, 3, 2, 2, 2])
    #expect(rootCounts(leaves: 24, ranks: 6) == [2, 3, 2, 2, 3, 2])
    #expect(rootCounts(leaves: 40, ranks: 5) == [3, 3, 5, 3, 2])
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func theMicrobatchThatIsProposedWouldDo(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let batch = Int.random(in: 1...200, using: &generator)
    let microbatch = Int.random(in: 1...batch, using: &generator)
    let ranks = Int.random(in: 1...32, using: &generator)
    let leaves = (batch + microbatch - 1) / microbatch
    guard ranks > leaves else {
      try GradientTree.check(batch: batch, microbatch: microbatch, ranks: ranks)
      return
    }
    let failure = try #require(
      #expect(throws: Failure.self) {
        try GradientTree.check(batch: batch, microbatch: microbatch, ranks: ranks)
      })
    #expect(failure.code == .configuration)
    let words = failure.remedy.split(whereSeparator: { " ,".contains($0) })
    if ranks > batch {
      #expect(failure.remedy.contains("training.batch to \(ranks)"))
    } else {
      let place = try #require(words.firstIndex(of: "training.microbatch"))
      let proposed = try #require(Int(words[place + 2]))
      try GradientTree.check(batch: batch, microbatch: proposed, ranks: ranks)
      #expect(throws: Failure.self) { try GradientTree.check(batch: batch, microbatch: proposed + 1, ranks: ranks) }
    }
  }

  @Test func theMessageSaysWhatToDo() {
    let failure = #expect(throws: Failure.self) { try GradientTree.check(batch: 100, microbatch: 20, ranks: 8) }
    #expect(
      failure?.description == "8 ranks cannot share a batch of 100 in 5 microbatches of 20; "
        + "set training.microbatch to 14 or less, or start at most 5 ranks")
  }
}
