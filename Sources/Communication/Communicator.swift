import Failures

/// Bytes that travel between this rank and one other.
///
/// A transfer refers to memory of its owner, which has to stay in place and untouched until the exchange returns.
public struct Transfer {
  /// The other rank. Never this rank itself.
  public var peer: Int
  /// Tells transfers between the same two ranks apart. In [0, 32767]. Transfers with the same tag arrive in order.
  public var tag: Int
  /// What is sent, or where what is received goes. The sizes on both sides have to agree; they may be 0.
  public var bytes: UnsafeMutableRawBufferPointer

  public init(peer: Int, tag: Int, bytes: UnsafeMutableRawBufferPointer) {
    self.peer = peer
    self.tag = tag
    self.bytes = bytes
  }
}

/// The ranks of a job, as one of them sees them: who it is, how many there are, and one way to move bytes.
///
/// Everything else (broadcast, gathering, the ordered all-reduce) is built from `exchange`, so the three kinds
/// (single process, in-process replicas, MPI) run the same code above this protocol.
///
/// A communicator belongs to the thread that made it.
public protocol Communicator: AnyObject {
  /// This rank's number, in [0, size).
  var rank: Int { get }
  /// The number of ranks.
  var size: Int { get }
  /// The host of every rank, by rank.
  var hosts: [String] { get }
  /// What a person calls this kind: "single process", "4 in-process replicas", "4 MPI ranks".
  var summary: String { get }
  /// How the ranks are bound to cores, for the header of a run; nil where there is nothing to say.
  var binding: String? { get }

  /// Sends and receives, all at once, and returns when all is done.
  ///
  /// - Parameters:
  ///   - phase: what the job is doing, for the message of an error: "gradient exchange, step 12".
  ///   - relay: where peers may have to wait for others first, how much longer they get; nil where they do not.
  /// - Throws: `Failure` when a peer does not answer within the time allowed; its cause names that rank and the phase.
  ///   The communicator is of no use after that, since the peers are in the middle of something: only `abort` is left.
  func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure)

  /// Memory that all ranks of a node see. Every rank of the job has to ask at the same time for as much.
  ///
  /// - Parameter byteCount: of each rank's region.
  /// - Returns: nil on every rank where one can have none, and where the nodes do not have as many ranks each, more than one
  ///   and one after another. It stays until the communicator goes.
  func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions?

  /// Ends the whole job with this code, other ranks included. Prints nothing; does not return.
  func abort(_ code: ExitCode) -> Never

  /// Leaves the job in good order, when every rank has come here. To be called once.
  func finish() throws(Failure)
}

/// What the job is doing, cheap enough to be said at every exchange.
public struct Phase: Sendable, CustomStringConvertible {
  public let name: StaticString
  public let step: Int?

  public init(_ name: StaticString, step: Int? = nil) {
    self.name = name
    self.step = step
  }

  public var description: String { step.map { "\(name), step \($0)" } ?? "\(name)" }
}

extension Communicator {
  public var binding: String? { nil }

  public func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions? { nil }
}
