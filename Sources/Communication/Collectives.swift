import Failures

/// What ranks do together beside the gradient exchange: setting up, comparing, leaving. All built from `exchange`.
///
/// Every rank has to call them in the same order. They allocate, and are meant for use outside the training step.
extension Communicator {
  /// Copies `bytes` of rank `root` to every rank, down a binomial tree: log2(size) rounds.
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int = 0, phase: Phase) throws(Failure) {
    let tree = RankTree(rank: rank, size: size, root: root)
    if let parent = tree.parent {
      try exchange(
        receiving: [Transfer(peer: parent.rank, tag: 0, bytes: bytes)], phase: phase,
        relay: .receivingDown(tree, afterBlocks: false))
    }
    try exchange(sending: tree.children.map { Transfer(peer: $0.rank, tag: 0, bytes: bytes) }, phase: phase)
  }

  /// The bytes of rank `root`, on every rank; the others need not know how many there are.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0, phase: Phase) throws(Failure) -> [UInt8] {
    var length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) }
    try withTransfers(of: &length) { (bytes) throws(Failure) in
      try self.broadcast(bytes, from: root, phase: phase)
    }
    let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
    var all = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    if count > 0 {
      try withTransfers(of: &all) { (bytes) throws(Failure) in try self.broadcast(bytes, from: root, phase: phase) }
    }
    return all
  }

  /// Every rank's block on rank `root`, by rank; nil on the others.
  ///
  /// - Parameter block: as long on every rank.
  public func gather(_ block: [UInt8], to root: Int = 0, phase: Phase) throws(Failure) -> [[UInt8]]? {
    var own = block
    if rank != root {
      try withTransfers(of: &own) { (bytes) throws(Failure) in
        try self.exchange(sending: [Transfer(peer: root, tag: 0, bytes: bytes)], phase: phase)
      }
      return nil
    }
    var all = [UInt8](repeating: 0, count: block.count * size)
    try withTransfers(of: &all) { (bytes) throws(Failure) in
      let receives = self.peers.map { Transfer(peer: $0, tag: 0, bytes: bytes.block($0, of: block.count)) }
      try self.exchange(receiving: receives, phase: phase)
    }
    return blocks(all, own: block)
  }

  /// Every rank's block on every rank, by rank.
  ///
  /// - Parameter block: as long on every rank.
  public func allGather(_ block: [UInt8], phase: Phase) throws(Failure) -> [[UInt8]] {
    var all = [UInt8](repeating: 0, count: block.count * size)
    all.replaceSubrange(rank * block.count..<(rank + 1) * block.count, with: block)
    try withTransfers(of: &all) { (bytes) throws(Failure) in
      try BlockGathering(rank: self.rank, size: self.size, memory: bytes.baseAddress, bytesPerBlock: block.count)
        .run(on: self, phase: phase)
    }
    return blocks(all, own: block)
  }

  /// Returns when every rank has called it. See `BlockGathering` for who is named where one does not.
  public func barrier(phase: Phase) throws(Failure) {
    try BlockGathering(rank: rank, size: size, memory: nil, bytesPerBlock: 0).run(on: self, phase: phase)
  }

  /// Makes sure that every rank has the same digest as rank 0.
  ///
  /// - Parameter what: what was digested, in words: "configuration".
  /// - Throws: on all ranks alike, a `.configuration` failure that names every rank that differs.
  public func agree(on digest: [UInt8], what: String, phase: Phase) throws(Failure) {
    let digests = try allGather(digest, phase: phase)
    let others = peersOfRankZero.filter { digests[$0] != digests[0] }
    guard !others.isEmpty else { return }
    let places = others.map { "\($0) (\(hosts[$0]))" }.joined(separator: ", ")
    let subject = others.count == 1 ? "rank \(places) has" : "ranks \(places) have"
    throw Failure(
      .configuration, "\(subject) another \(what) than rank 0 (\(hosts[0]))",
      remedy: "start every rank with the same program, settings and files")
  }

  private var peers: [Int] { (0..<size).filter { $0 != rank } }
  private var peersOfRankZero: Range<Int> { 1..<max(1, size) }

  private func blocks(_ all: [UInt8], own: [UInt8]) -> [[UInt8]] {
    (0..<size).map { $0 == rank ? own : Array(all[$0 * own.count..<($0 + 1) * own.count]) }
  }

  /// `exchange` for lists, of which there may be nothing to do. Asks for no memory.
  public func exchange(
    sending: [Transfer] = [], receiving: [Transfer] = [], phase: Phase, relay: Relay? = nil
  ) throws(Failure) {
    if sending.isEmpty && receiving.isEmpty { return }
    try sending.withUnsafeBufferPointer { (sends) throws(Failure) in
      try receiving.withUnsafeBufferPointer { (receives) throws(Failure) in
        try self.exchange(sends: sends, receives: receives, phase: phase, relay: relay)
      }
    }
  }
}

private func withTransfers(
  of bytes: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
  let outcome = bytes.withUnsafeMutableBytes { buffer in
    Result { () throws(Failure) in try body(buffer) }
  }
  try outcome.get()
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func block(_ index: Int, of byteCount: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: self[index * byteCount..<(index + 1) * byteCount])
  }
}
