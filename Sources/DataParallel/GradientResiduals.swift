import Communication
import Failures

/// What compression has left of each group's gradients so far. See `Compression`.
///
/// A group's residual lives on the rank that holds the group, and moves with it. Rank 0 has room for all, to bring them
/// into a checkpoint and out of one.
public final class GradientResiduals {
  public let groups: Int
  /// The parameters, and so the floats of a residual.
  public let count: Int
  private let communicator: any Communicator
  /// By group; nil where another rank has it.
  private var vectors: [GradientVector?]

  /// - Throws: `.osError` where there is not enough memory.
  init(communicator: any Communicator, groups: Int, count: Int) throws(Failure) {
    self.communicator = communicator
    self.groups = groups
    self.count = count
    vectors = Array(repeating: nil, count: groups)
    for group in 0..<groups where communicator.rank == 0 || owner(ofGroup: group) == communicator.rank {
      vectors[group] = try GradientVector(count: count)
    }
  }

  /// This rank's residual of a group, `count` floats; on rank 0 of any group, as it was last gathered or set.
  public func values(ofGroup group: Int) -> UnsafeMutablePointer<Float>? { vectors[group]?.floats }

  /// Nil on a rank that does not hold the group.
  subscript(group: Int) -> GradientVector? { vectors[group] }

  /// The rank that holds a group.
  func owner(ofGroup group: Int) -> Int {
    let size = communicator.size
    return (0..<size).first { GradientTree.share($0, of: size, in: 0..<groups).contains(group) } ?? 0
  }

  /// Brings all to rank 0. Every rank has to call it. Allocates.
  public func gather(afterStep step: Int) throws(Failure) {
    guard communicator.size > 1 else { return }
    var (sends, receives): ([Transfer], [Transfer]) = ([], [])
    for (group, vector) in vectors.enumerated() {
      let owner = owner(ofGroup: group)
      guard owner != 0, let vector else { continue }
      if communicator.rank == 0 {
        receives.append(Transfer(peer: owner, tag: group, bytes: bytes(vector)))
      } else {
        sends.append(Transfer(peer: 0, tag: group, bytes: bytes(vector)))
      }
    }
    try communicator.exchange(
      sending: sends, receiving: receives, phase: Phase("collection of the residuals", step: step))
  }

  /// Brings rank 0's to the ranks that hold the groups. Every rank has to call it. Allocates.
  ///
  /// - Parameter see: is shown each residual on every rank, in the order of the groups.
  public func share(phase: Phase, see: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
    var spare: GradientVector?
    for own in vectors {
      let vector: GradientVector
      if let own = own ?? spare {
        vector = own
      } else {
        vector = try GradientVector(count: count)
        spare = vector
      }
      try communicator.broadcast(bytes(vector), phase: phase)
      see(UnsafeRawBufferPointer(bytes(vector)))
    }
  }

  private func bytes(_ vector: GradientVector) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: vector.floats, count: count * MemoryLayout<Float>.stride)
  }
}
