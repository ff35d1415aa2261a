import Communication
import DataParallel
import Digests
import Failures
import Reporting

/// The digest of one microbatch's gradient, as a rank computed it within a step.
public struct GradientRecord: Equatable, Sendable {
  public let step: Int
  public let microbatch: Int
  public let rank: Int
  public let host: String
  public let digest: Digest

  /// A line of JSON.
  var line: String {
    JSONValue.object([
      .init("step", .integer(step)), .init("microbatch", .integer(microbatch)), .init("rank", .integer(rank)),
      .init("host", .text(host)), .init("gradient_digest", .text(digest.description)),
    ]).encoded + "\n"
  }
}

/// Keeps the digests of all gradients of one step.
final class GradientRecording {
  let step: Int
  /// Called on rank 0 with the step's records, by microbatch.
  let receive: ([GradientRecord]) throws(Failure) -> Void
  /// By microbatch. Each is written by the one worker that computes it.
  private let digests: UnsafeMutableBufferPointer<Digest?>

  init(step: Int, leaves: Int, receive: @escaping ([GradientRecord]) throws(Failure) -> Void) {
    self.step = step
    self.receive = receive
    digests = .allocate(capacity: leaves)
    digests.initialize(repeating: nil)
  }

  deinit {
    digests.deinitialize()
    digests.deallocate()
  }

  func take(_ gradient: GradientVector, of microbatch: Int) {
    digests[microbatch] = MicrobatchRecomputation.digest(of: gradient)
  }

  /// Brings all to rank 0. Every rank has to call it.
  func finish(_ tree: GradientTree, communicator: any Communicator) throws(Failure) {
    var block: [UInt8] = []
    for digest in digests { block += digest?.bytes ?? [UInt8](repeating: 0, count: Digest.byteCount) }
    let phase = Phase("collection of the gradients' digests", step: step)
    guard let blocks = try communicator.gather(block, phase: phase) else { return }
    var records: [GradientRecord] = []
    for rank in 0..<communicator.size {
      for leaf in tree.leaves(ofRank: rank) {
        let bytes = blocks[rank][leaf * Digest.byteCount..<(leaf + 1) * Digest.byteCount]
        guard let digest = Digest(bytes: Array(bytes)) else { continue }
        records.append(
          GradientRecord(
            step: step, microbatch: leaf, rank: rank, host: communicator.hosts[rank], digest: digest))
      }
    }
    try receive(records)
  }
}
