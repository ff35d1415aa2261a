import Failures
import Synchronization

/// Memory of the ranks of one node, a region for each, that all of them see; and a way to wait for each other in it.
///
/// There are as many ranks on each node, one after another. Among those of its node a rank has a place, from 0.
///
/// In each region there are marks, numbers that only rise: one at its beginning, and others where its users want them. A rank
/// raises its own when what it has written before may be read, and waits for those of the others. Nothing is sent; a wait
/// ends with a failure that names who has not come.
///
/// Belongs to the thread that made it.
public final class SharedRegions {
  /// Where a mark is in a region.
  public struct Mark: Sendable {
    fileprivate let offset: Int

    /// Apart from the rest, so that a rank that waits for it disturbs no other memory.
    public static let finished = Mark(offset: 0)

    /// One in the 8 bytes at an offset from `start`, a multiple of 8, which nothing else may change: beside what is
    /// written, so that who sees the mark has that in its cache too. It begins as 0.
    public static func beside(_ offset: Int) -> Mark { Mark(offset: headBytes + offset) }
  }

  /// What a region has to have for a mark of its own.
  static let headBytes = 128

  /// Those of this node.
  public let ranks: Range<Int>
  /// This rank's among them.
  public let place: Int
  /// How many nodes there are.
  public let nodes: Int
  private let size: Int
  private let regions: [UnsafeMutableRawPointer]
  private let memory: AnyObject
  private let hosts: [String]
  private let timeout: Duration
  /// Looks before others may run between two of them. One costs far less than a look at a message, so there are more.
  private let spins: Int
  /// Throws where a rank will not come any more.
  private let checkPeer: (_ peer: Int, _ phase: Phase) throws(Failure) -> Void

  /// - Parameters:
  ///   - regions: by place, aligned to 64 bytes, zeroed, and the same memory for all.
  ///   - memory: what they are in, which is kept.
  ///   - checkPeer: called now and then while this rank waits for another.
  init(
    _ regions: [UnsafeMutableRawPointer], in memory: AnyObject, of communicator: any Communicator, timeout: Duration,
    isOversubscribed: Bool, checkPeer: @escaping (_ peer: Int, _ phase: Phase) throws(Failure) -> Void
  ) {
    self.regions = regions
    self.memory = memory
    size = communicator.size
    place = communicator.rank % regions.count
    ranks = communicator.rank - place..<communicator.rank - place + regions.count
    nodes = size / regions.count
    hosts = communicator.hosts
    self.timeout = timeout
    spins = isOversubscribed ? 50 : 20_000
    self.checkPeer = checkPeer
  }

  /// What a rank has for all to see, behind its own mark, aligned to 64 bytes.
  public func start(ofPlace place: Int) -> UnsafeMutableRawPointer { regions[place] + Self.headBytes }

  /// Says that this rank's part is there for the `number`-th time.
  public func raise(_ mark: Mark, to number: UInt64) {
    location(of: mark, place).pointee.store(number, ordering: .releasing)
  }

  /// Returns when every rank of the node has raised its mark to `number`.
  ///
  /// - Parameter relay: where these may have to wait for others first, how much longer they get.
  /// - Throws: a failure that names the ranks that have not within the time allowed.
  public func wait(
    for mark: Mark, toReach number: UInt64, phase: Phase, relay: Relay? = nil
  ) throws(Failure) {
    for step in 1..<max(1, regions.count) {
      let peer = (place + step) % regions.count
      if value(of: mark, peer) < number { try wait(for: peer, mark, number, phase, relay) }
    }
  }

  private func wait(
    for peer: Int, _ mark: Mark, _ number: UInt64, _ phase: Phase, _ relay: Relay?
  ) throws(Failure) {
    for _ in 0..<spins where value(of: mark, peer) >= number { return }
    let timeout = relay?.timeout(timeout) ?? timeout
    var wait = PolledWait(timeout: timeout, spins: 0)
    while value(of: mark, peer) < number {
      if !wait.pause() {
        let late = regions.indices.filter { value(of: mark, $0) < number && $0 != place }
        if late.isEmpty { return }
        throw .waitedTooLong(
          for: late.map { ranks.lowerBound + $0 }, size: size, hosts: hosts, phase: phase, timeout: timeout,
          relay: relay)
      }
      do throws(Failure) {
        try checkPeer(ranks.lowerBound + peer, phase)
      } catch {
        // It may have raised its mark and gone.
        if value(of: mark, peer) < number { throw error }
      }
    }
  }

  private func value(of mark: Mark, _ place: Int) -> UInt64 {
    location(of: mark, place).pointee.load(ordering: .acquiring)
  }

  private func location(of mark: Mark, _ place: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    (regions[place] + mark.offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
