import Communication
import Failures

/// Brings every group's compressed gradient to every rank: what takes the place of scattering and gathering slices where
/// a reduction compresses.
///
/// Each rank sends its groups to each other: (P − 1) · groups a rank · bytes a group. That is least on few ranks and for
/// forms that are small. Allocates nothing for plans that it has made room for.
final class CompressedExchange {
  let residuals: GradientResiduals
  private let communicator: any Communicator
  private let codec: GradientCodec
  /// From the bytes of one root to those of the next, so that each begins at a boundary of 64.
  private let pitch: Int
  private var wire: AlignedMemory<UInt8>
  private var areValid: AlignedMemory<Bool>

  init(
    _ compression: Compression, communicator: any Communicator, count: Int, workers: Int
  ) throws(Failure) {
    self.communicator = communicator
    codec = try GradientCodec(compression, count: count, workers: workers)
    residuals = try GradientResiduals(communicator: communicator, groups: compression.groups, count: count)
    pitch = (codec.byteCount + 63) / 64 * 64
    wire = try AlignedMemory(count: compression.groups * pitch)
    areValid = try AlignedMemory(count: compression.groups)
  }

  /// Compresses this rank's groups, each on one of its workers. Their sums become what is decompressed.
  func encode(_ plan: ReductionPlan, _ vectors: [GradientVector], _ threads: WorkerThreads) {
    let own = plan.rootsOfRank[communicator.rank]
    threads.run { worker in
      for place in GradientTree.share(worker, of: threads.count, in: own) {
        guard let slot = plan.roots[place].slot, let residual = residuals[plan.groups[place]] else { continue }
        codec.encode(vectors[slot], residual: residual, into: bytes(place), worker: worker)
      }
    }
  }

  /// What this rank sends to another and takes in from it.
  func append(_ plan: ReductionPlan, peer: Int, to sends: inout [Transfer], _ receives: inout [Transfer]) {
    for (tag, place) in plan.rootsOfRank[peer].enumerated() {
      receives.append(Transfer(peer: peer, tag: tag, bytes: buffer(place)))
    }
    for (tag, place) in plan.rootsOfRank[communicator.rank].enumerated() {
      sends.append(Transfer(peer: peer, tag: tag, bytes: buffer(place)))
    }
  }

  /// Decompresses the other ranks' groups.
  ///
  /// - Parameter operands: where each root goes.
  /// - Throws: `.software` where what came is no gradient.
  func decode(
    _ plan: ReductionPlan, into operands: [UnsafeMutablePointer<SIMD8<Float>>], _ threads: WorkerThreads, _ phase: Phase
  ) throws(Failure) {
    threads.run { worker in
      for place in GradientTree.share(worker, of: threads.count, in: plan.roots.indices) {
        areValid.start[place] =
          plan.roots[place].slot != nil
          || codec.decode(
            bytes(place), into: UnsafeMutableRawPointer(operands[place]).assumingMemoryBound(to: Float.self))
      }
    }
    for (place, root) in plan.roots.enumerated() where !areValid.start[place] {
      throw Failure(
        .software, "what rank \(root.rank) has sent in \(phase) is no compressed gradient of this network",
        remedy: "report this: it is a defect of the program")
    }
  }

  private func bytes(_ place: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(wire.start + place * pitch) }

  private func buffer(_ place: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: bytes(place), count: codec.byteCount)
  }
}
