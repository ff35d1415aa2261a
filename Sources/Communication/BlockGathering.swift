import Failures

/// Brings a block of each rank to all ranks, by the same plan again and again.
///
/// Of a few ranks each sends to each other: one exchange, and a rank that does not come is named by all. Of more than
/// `mostDirectRanks` the blocks go up a binomial tree and come down it again (see `RankTree`), so that a rank has at most
/// 2 log2(size) messages and the job 2 (size - 1), where each to each other would be size². A rank that does not come
/// is then named by its neighbours, who wait the shortest; where another is faster, it says that it may be a rank behind
/// the one it names (see `Relay`).
struct BlockGathering {
  static let mostDirectRanks = 8

  /// One exchange of several.
  private struct Step {
    var sends: [Transfer] = []
    var receives: [Transfer] = []
    var relay: Relay?
  }

  private let steps: [Step]

  /// - Parameters:
  ///   - memory: [size, bytesPerBlock], of which this rank's block has to be filled in before `run`. It has to stay.
  init(rank: Int, size: Int, memory: UnsafeMutableRawPointer?, bytesPerBlock: Int) {
    func transfer(_ owners: Range<Int>, with peer: Int) -> Transfer {
      Transfer(
        peer: peer, tag: 0,
        bytes: UnsafeMutableRawBufferPointer(
          start: memory.map { $0 + owners.lowerBound * bytesPerBlock }, count: owners.count * bytesPerBlock))
    }
    guard size > Self.mostDirectRanks else {
      let peers = (0..<size).filter { $0 != rank }
      steps = [
        Step(
          sends: peers.map { transfer(rank..<rank + 1, with: $0) },
          receives: peers.map { transfer($0..<$0 + 1, with: $0) })
      ]
      return
    }
    let tree = RankTree(rank: rank, size: size)
    var steps = [
      Step(receives: tree.children.map { transfer($0.subtree, with: $0.rank) }, relay: .receivingUp(tree))
    ]
    if let parent = tree.parent {
      steps.append(Step(sends: [transfer(tree.subtree, with: parent.rank)], relay: .sendingUp(tree)))
      steps.append(
        Step(receives: [transfer(0..<size, with: parent.rank)], relay: .receivingDown(tree, afterBlocks: true)))
    }
    steps.append(Step(sends: tree.children.map { transfer(0..<size, with: $0.rank) }))
    self.steps = steps
  }

  /// Asks for no memory. Every rank has to call it.
  ///
  /// - Parameter relay: of exchanges in which otherwise nobody waits for a third.
  func run(on communicator: any Communicator, phase: Phase, relay: Relay? = nil) throws(Failure) {
    for step in steps {
      try communicator.exchange(
        sending: step.sends, receiving: step.receives, phase: phase, relay: step.relay ?? relay)
    }
  }
}
