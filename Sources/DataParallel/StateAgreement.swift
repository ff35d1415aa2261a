import Communication
import Failures
import Kernels

/// Makes sure, now and then, that all ranks hold the same state to the last bit.
///
/// Every rank computes the same update from the same gradient, so that a difference is an error of a processor or its
/// memory. A hash of 64 bits of each rank comes to all; only where these differ do the ranks ask in which tensor.
public final class StateAgreement {
  /// A named piece of the state, in place.
  public struct Part {
    /// "W5", "W5's first moment".
    public let name: String
    public let values: UnsafePointer<Float>
    public let count: Int

    public init(name: String, values: UnsafePointer<Float>, count: Int) {
      self.name = name
      self.values = values
      self.count = count
    }
  }

  private let communicator: any Communicator
  private let parts: [Part]
  private let whole: WordExchange

  /// - Parameter parts: the same on every rank but for their values, which stay where they are.
  public init(communicator: any Communicator, parts: [Part]) {
    self.communicator = communicator
    self.parts = parts
    whole = WordExchange(communicator: communicator, count: 1)
  }

  /// Compares the state. Every rank has to call it after the same step. Asks for no memory where all agree.
  ///
  /// - Throws: on all ranks alike, a failure that names the ranks that differ and the first tensor in which each does.
  public func check(afterStep step: Int) throws(Failure) {
    guard communicator.size > 1 else { return }
    var hash: UInt64 = 0
    for part in parts { hash = BitHash.of(part.values, count: part.count, seed: hash) }
    whole.own[0] = hash
    try whole.gather(phase: Phase("agreement on the state", step: step))
    for rank in 0..<communicator.size where whole[rank, 0] != whole[0, 0] { try disagree(step) }
  }

  private func disagree(_ step: Int) throws(Failure) {
    let hashes = WordExchange(communicator: communicator, count: parts.count)
    for (index, part) in parts.enumerated() { hashes.own[index] = BitHash.of(part.values, count: part.count) }
    try hashes.gather(phase: Phase("search for the tensor that differs", step: step))

    let ranks = 0..<communicator.size
    let majority = ranks.first { rank in ranks.count { whole[$0, 0] == whole[rank, 0] } > ranks.count / 2 }
    let reference = majority ?? 0
    let places = ranks.filter { whole[$0, 0] != whole[reference, 0] }.map { rank in
      let first = parts.indices.first { hashes[rank, $0] != hashes[reference, $0] }
      return
        "rank \(rank) (\(communicator.hosts[rank])) first in \(first.map { parts[$0].name } ?? "no tensor any more")"
    }
    let others = majority == nil ? "rank 0 (\(communicator.hosts[0]))" : "most ranks"
    throw Failure(
      .failure,
      "after step \(step) not all ranks have the state of \(others): it differs on "
        + places.joined(separator: ", on "),
      remedy: "a processor or its memory has failed: leave that host out, and go on from the last checkpoint, which "
        + "is from before, with --resume auto")
  }
}
