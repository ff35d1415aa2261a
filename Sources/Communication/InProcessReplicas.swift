import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// N ranks as threads of one process: for breakpoints across ranks, sanitizers and fast tests.
public enum InProcessReplicas {
  /// Runs `body` once for each rank, each on a thread of its own with a stack of 8 MiB, and waits for all of them.
  ///
  /// When one rank throws, the exchanges of the others end at once with a `Failure` that names it.
  ///
  /// - Parameters:
  ///   - count: the number of ranks, at least 1.
  ///   - timeout: how long a rank waits for another.
  ///   - ranksPerNode: how many share memory, as though they were on a node; nil: all.
  /// - Returns: what the bodies returned, by rank.
  /// - Throws: the failure that began it. Where several ranks failed by themselves, that of the lowest rank.
  public static func run<Result: Sendable>(
    count: Int, timeout: Duration = .seconds(60), ranksPerNode: Int? = nil,
    body: @escaping @Sendable (any Communicator) throws(Failure) -> Result
  ) throws(Failure) -> [Result] {
    guard count >= 1 else {
      throw Failure(.usage, "\(count) replicas make no job", remedy: "ask for 1 or more")
    }
    let mailbox = ReplicaMailbox(count: count, timeout: timeout, ranksPerNode: ranksPerNode ?? count)
    let outcomes = Outcomes<Result>(count: count)
    var threads: [PosixThread] = []
    for rank in 0..<count {
      do throws(Failure) {
        threads.append(
          try PosixThread {
            do throws(Failure) {
              outcomes.succeed(rank, try body(Replica(rank: rank, mailbox: mailbox)))
              mailbox.leave(rank)
            } catch {
              mailbox.fail(rank, error)
            }
          })
      } catch {
        mailbox.fail(rank, error)
        break
      }
    }
    for thread in threads { thread.join() }
    if let failure = mailbox.rootFailure { throw failure }
    return outcomes.all
  }

  /// Unchecked: each rank writes its own element under the monitor; they are read when the threads have ended.
  private final class Outcomes<Result: Sendable>: @unchecked Sendable {
    private let monitor = Monitor(conditions: 0)
    private var results: [Result?]

    init(count: Int) { results = Array(repeating: nil, count: count) }

    func succeed(_ rank: Int, _ result: Result) {
      monitor.lock()
      results[rank] = result
      monitor.unlock()
    }

    var all: [Result] { results.compactMap { $0 } }
  }
}

/// One of several ranks that are threads of this process.
final class Replica: Communicator {
  let rank: Int
  var size: Int { mailbox.count }
  let hosts: [String]
  var summary: String { size == 1 ? "1 in-process replica" : "\(size) in-process replicas" }

  private let mailbox: ReplicaMailbox
  /// How often memory was shared.
  private var sharing = 0

  init(rank: Int, mailbox: ReplicaMailbox) {
    self.rank = rank
    self.mailbox = mailbox
    hosts = Array(repeating: hostName(), count: mailbox.count)
  }

  func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure) {
    for transfers in [sends, receives] {
      for transfer in transfers where !transfer.isValid(rank: rank, size: size) {
        throw .invalidTransfer(transfer, rank: rank, size: size, phase: phase)
      }
    }
    try mailbox.exchange(rank: rank, sends: sends, receives: receives, phase: phase, relay: relay)
  }

  func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions? {
    let phase = Phase("sharing of memory")
    let perNode = mailbox.ranksPerNode
    guard perNode > 1, size % perNode == 0 else { return nil }
    let memory = mailbox.memory(sharing, byteCount: byteCount + SharedRegions.headBytes)
    sharing += 1
    let node = rank / perNode * perNode
    let regions = SharedRegions(
      Array(memory.regions[node..<node + perNode]), in: memory, of: self, timeout: mailbox.timeout,
      isOversubscribed: size > PhysicalCores.count
    ) { [mailbox, rank] (peer, phase) throws(Failure) in
      try mailbox.check(peer, waitedForBy: rank, phase: phase)
    }
    try barrier(phase: phase)
    return regions
  }

  /// Leaves by `_exit`: handlers of `exit` would run while the other ranks' threads still work.
  func abort(_ code: ExitCode) -> Never {
    fflush(nil)
    _exit(code.rawValue)
  }

  func finish() throws(Failure) {
    try barrier(phase: Phase("leaving the job"))
  }
}
