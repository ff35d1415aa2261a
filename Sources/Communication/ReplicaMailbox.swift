import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the replicas of one process leave word of what they send.
///
/// A sender posts where its bytes lie and stays until they are taken; the receiver copies them, outside the lock,
/// straight to where they go.
///
/// Unchecked: every stored variable is used under the monitor alone.
final class ReplicaMailbox: @unchecked Sendable {
  let count: Int
  let timeout: Duration
  let ranksPerNode: Int
  /// One condition a rank: what that rank waits for may have come.
  private let monitor: Monitor
  /// What was posted to each rank and not taken yet, in the order of posting.
  private var inboxes: [[Post]]
  /// How many posts of each rank are not taken or still being copied.
  private var outstanding: [Int]
  private var hasLeft: [Bool]
  private var failures: [Failure?]
  /// The ranks that failed because another had.
  private var echoes: [Bool]
  private var firstFailure: (rank: Int, failure: Failure)?
  /// What some replicas have taken and others have not yet, by the number of the sharing.
  private var memories: [Int: (memory: ReplicaMemory, takers: Int)] = [:]

  private struct Post {
    let source: Int
    let tag: Int
    let bytes: UnsafeMutableRawBufferPointer
  }

  /// How long an exchange may take.
  private struct Patience {
    let timeout: Duration
    let relay: Relay?
    let deadline: UInt64

    init(timeout: Duration, relay: Relay?) {
      self.timeout = relay?.timeout(timeout) ?? timeout
      self.relay = relay
      deadline = monotonicNanoseconds() + self.timeout.nanoseconds
    }
  }

  init(count: Int, timeout: Duration, ranksPerNode: Int) {
    self.count = count
    self.ranksPerNode = ranksPerNode
    self.timeout = timeout
    monitor = Monitor(conditions: count)
    inboxes = Array(repeating: [], count: count)
    outstanding = Array(repeating: 0, count: count)
    hasLeft = Array(repeating: false, count: count)
    failures = Array(repeating: nil, count: count)
    echoes = Array(repeating: false, count: count)
  }

  /// What the replicas share for the `number`-th time.
  ///
  /// - Parameter byteCount: of each replica's region.
  func memory(_ number: Int, byteCount: Int) -> ReplicaMemory {
    monitor.lock()
    defer { monitor.unlock() }
    let (memory, takers) = memories[number] ?? (ReplicaMemory(count: count, byteCount: byteCount), 0)
    precondition(memory.byteCount == byteCount, "every replica shares as much")
    memories[number] = takers + 1 < count ? (memory, takers + 1) : nil
    return memory
  }

  /// - Throws: where another replica has failed, or the peer has ended its work.
  func check(_ peer: Int, waitedForBy rank: Int, phase: Phase) throws(Failure) {
    monitor.lock()
    defer { monitor.unlock() }
    try throwWhereVain(rank, peer, phase)
  }

  /// The rank has returned from its work.
  func leave(_ rank: Int) {
    monitor.lock()
    defer { monitor.unlock() }
    hasLeft[rank] = true
    for other in 0..<count { monitor.broadcast(other) }
  }

  /// The rank has thrown.
  func fail(_ rank: Int, _ failure: Failure) {
    monitor.lock()
    defer { monitor.unlock() }
    record(rank, failure)
  }

  private func record(_ rank: Int, _ failure: Failure) {
    failures[rank] = failure
    if firstFailure == nil { firstFailure = (rank, failure) }
    for other in 0..<count { monitor.broadcast(other) }
  }

  /// The failure that was nobody's echo; of several that of the lowest rank.
  var rootFailure: Failure? {
    monitor.lock()
    defer { monitor.unlock() }
    for rank in 0..<count where !echoes[rank] {
      if let failure = failures[rank] { return failure }
    }
    return firstFailure?.failure
  }

  func exchange(
    rank: Int, sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase,
    relay: Relay?
  ) throws(Failure) {
    let patience = Patience(timeout: timeout, relay: relay)
    monitor.lock()
    defer { monitor.unlock() }
    do throws(Failure) {
      try throwEcho(rank, phase)
      for send in sends {
        inboxes[send.peer].append(Post(source: rank, tag: send.tag, bytes: send.bytes))
        outstanding[rank] += 1
        monitor.broadcast(send.peer)
      }
      for index in receives.indices {
        try receive(receives, index, rank: rank, patience: patience, phase: phase)
      }
      while outstanding[rank] > 0 {
        let peer = firstDestination(ofRank: rank)
        try wait(rank, for: peer, patience: patience, phase: phase) { self.destinations(rank) }
      }
    } catch {
      // Before its posts are gone, so that nobody takes it for one that has not come.
      record(rank, error)
      withdraw(rank)
      throw error
    }
  }

  private func receive(
    _ receives: UnsafeBufferPointer<Transfer>, _ index: Int, rank: Int, patience: Patience, phase: Phase
  ) throws(Failure) {
    let wanted = receives[index]
    while true {
      if let place = firstPost(for: wanted, rank) {
        let post = inboxes[rank].remove(at: place)
        let fits = post.bytes.count == wanted.bytes.count
        if fits {
          monitor.unlock()
          wanted.bytes.copyMemory(from: UnsafeRawBufferPointer(post.bytes))
          monitor.lock()
        }
        outstanding[post.source] -= 1
        monitor.broadcast(post.source)
        if fits { return }
        throw .sizesDiffer(
          peer: wanted.peer, expected: wanted.bytes.count, received: post.bytes.count, phase: phase)
      }
      try wait(rank, for: wanted.peer, patience: patience, phase: phase) {
        Set(receives[index...].filter { self.firstPost(for: $0, rank) == nil }.map(\.peer))
      }
    }
  }

  /// Where in this rank's inbox the bytes for a receive are, if they have been posted.
  private func firstPost(for wanted: Transfer, _ rank: Int) -> Int? {
    inboxes[rank].firstIndex { $0.source == wanted.peer && $0.tag == wanted.tag }
  }

  /// Waits for news. Called and left with the lock held.
  private func wait(
    _ rank: Int, for peer: Int?, patience: Patience, phase: Phase, missing: () -> Set<Int>
  ) throws(Failure) {
    try throwWhereVain(rank, peer, phase)
    if monitor.wait(on: rank, until: patience.deadline) { return }
    try throwEcho(rank, phase)
    let peers = missing().sorted()
    // Whoever was waited for has come in the last moment.
    if peers.isEmpty { return }
    throw .waitedTooLong(for: peers, size: count, phase: phase, timeout: patience.timeout, relay: patience.relay)
  }

  private func throwWhereVain(_ rank: Int, _ peer: Int?, _ phase: Phase) throws(Failure) {
    try throwEcho(rank, phase)
    if let peer, hasLeft[peer] {
      throw Failure(
        .software, "rank \(rank) waits for rank \(peer) in \(phase), but rank \(peer) has ended its work",
        remedy: "report this: the ranks do not agree about where they are")
    }
  }

  private func throwEcho(_ rank: Int, _ phase: Phase) throws(Failure) {
    guard let (origin, failure) = firstFailure, origin != rank else { return }
    echoes[rank] = true
    throw Failure(
      failure.code, "rank \(rank) stops in \(phase), since rank \(origin) has failed: \(failure.cause)",
      remedy: failure.remedy)
  }

  /// The ranks that have not taken what this rank posted.
  private func destinations(_ rank: Int) -> Set<Int> {
    Set((0..<count).filter { inboxes[$0].contains { $0.source == rank } })
  }

  private func firstDestination(ofRank rank: Int) -> Int? {
    (0..<count).first { inboxes[$0].contains { $0.source == rank } }
  }

  /// Takes back what was posted, since its memory may go now; waits for those who are copying it.
  private func withdraw(_ rank: Int) {
    for peer in 0..<count {
      let before = inboxes[peer].count
      inboxes[peer].removeAll { $0.source == rank }
      outstanding[rank] -= before - inboxes[peer].count
    }
    while outstanding[rank] > 0 { monitor.wait(on: rank) }
  }
}
