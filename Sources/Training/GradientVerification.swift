import Communication
import DataParallel
import Failures
import Kernels

/// Finds silent errors of processors: in some steps each rank computes a microbatch of its left neighbour again, and the
/// bits have to be the same. A rank that is alone computes one of its own twice.
///
/// All ranks do so at the same time, so that a verification takes a microbatch's time whatever their number. Which of
/// its microbatches a rank has verified goes round from one verification to the next.
final class GradientVerification {
  private let communicator: any Communicator
  private let recomputation: MicrobatchRecomputation
  /// Words of each rank: the hash of its own microbatch as it was computed in the step, and of its neighbour's.
  private let hashes: WordExchange

  init(communicator: any Communicator, recomputation: MicrobatchRecomputation) {
    self.communicator = communicator
    self.recomputation = recomputation
    hashes = WordExchange(communicator: communicator, count: 2)
  }

  /// Which microbatch of a rank is verified.
  ///
  /// - Parameter turn: counts verifications.
  /// - Returns: nil where the rank has none: the last batch of an epoch may be short.
  static func microbatch(ofRank rank: Int, turn: Int, in tree: GradientTree) -> Int? {
    let own = tree.leaves(ofRank: rank)
    return own.isEmpty ? nil : own.lowerBound + turn % own.count
  }

  /// Takes the gradient of this rank's microbatch whose turn it is, as it goes into the step.
  func take(_ gradient: GradientVector) { hashes.own[0] = Self.hash(gradient) }

  /// Computes the neighbour's microbatch and compares. Every rank has to call it before the update.
  ///
  /// - Throws: on all ranks alike, a failure that names both ranks, their hosts, the step and the microbatch.
  func finish(_ position: StepPosition, turn: Int, in tree: GradientTree) throws(Failure) {
    let (rank, size) = (communicator.rank, communicator.size)
    func microbatch(_ rank: Int) -> Int? {
      Self.microbatch(ofRank: rank, turn: turn, in: tree)
    }
    if let microbatch = microbatch((rank + size - 1) % size) {
      recomputation.compute(microbatch, of: position)
      hashes.own[1] = Self.hash(recomputation.gradient)
    }
    try hashes.gather(phase: Phase("verification of a gradient", step: position.step))
    for owner in 0..<size {
      let verifier = (owner + 1) % size
      guard let microbatch = microbatch(owner), hashes[owner, 0] != hashes[verifier, 1] else { continue }
      throw differ(position, microbatch, owner, verifier)
    }
  }

  private static func hash(_ gradient: GradientVector) -> UInt64 {
    BitHash.of(gradient.floats, count: gradient.count)
  }

  private func differ(_ position: StepPosition, _ microbatch: Int, _ owner: Int, _ verifier: Int) -> Failure {
    func place(_ rank: Int) -> String { "rank \(rank) (\(communicator.hosts[rank]))" }
    let remedy = "the update was not made: go on from the last checkpoint with --resume auto, without that hardware"
    guard owner != verifier else {
      return Failure(
        .failure,
        "at step \(position.step) \(place(owner)) has computed microbatch \(microbatch) twice, to gradients of other "
          + "bits: its processor or memory fails", remedy: remedy)
    }
    return Failure(
      .failure,
      "at step \(position.step) \(place(owner)) has computed another gradient of microbatch \(microbatch) than "
        + "\(place(verifier)), which verified it: the processor or memory of one of the two fails", remedy: remedy)
  }
}
