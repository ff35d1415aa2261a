import Communication
import DataParallel
import Failures
import Optimizers

/// The optimizer's state, of which each rank keeps its slice. Rank 0 has the whole while it goes into a checkpoint or comes
/// out of one.
final class StateShards {
  private let states: [OptimizerState]
  private let slices: [Range<Int>]
  private let communicator: any Communicator
  /// Where there is room for the whole on rank 0 already, if anywhere; of each state, in order.
  var room: (() throws(Failure) -> [UnsafeMutablePointer<Float>])?
  /// On rank 0 each state in whole, or nothing.
  private var buffers: [UnsafeMutablePointer<Float>] = []
  /// What these are in where there was no room.
  private var vectors: [GradientVector] = []

  /// - Parameters:
  ///   - states: of this rank's slice.
  ///   - slices: by rank.
  init(_ states: [OptimizerState], slices: [Range<Int>], of communicator: any Communicator) {
    self.states = states
    self.slices = slices
    self.communicator = communicator
  }

  /// On rank 0 all states in whole, between `gather` or `makeRoom` and `release`.
  var whole: [KeptState] { zip(states, buffers).map { KeptState(name: $0.name, values: $1) } }

  /// To be filled by a checkpoint, on rank 0.
  func makeRoom() throws(Failure) {
    guard buffers.isEmpty else { return }
    if let room {
      buffers = try room()
    } else {
      for _ in states { vectors.append(try makeVector()) }
      buffers = vectors.map(\.floats)
    }
  }

  /// Lets what rank 0 has of other slices go.
  func release() {
    if !vectors.isEmpty { vectors.removeAll() }
    if !buffers.isEmpty { buffers.removeAll(keepingCapacity: true) }
  }

  /// Brings all slices to rank 0. Every rank has to call it. Asks for memory.
  func gather(afterStep step: Int) throws(Failure) {
    if communicator.rank == 0 { try makeRoom() }
    var (sends, receives): ([Transfer], [Transfer]) = ([], [])
    for (tag, state) in states.enumerated() {
      if communicator.rank != 0 {
        let bytes = bytes(state.values, slices[communicator.rank].count)
        if !bytes.isEmpty { sends.append(Transfer(peer: 0, tag: tag, bytes: bytes)) }
        continue
      }
      let values = buffers[tag]
      (values + slices[0].lowerBound).update(from: state.values, count: slices[0].count)
      for (rank, slice) in slices.enumerated() where rank != 0 && !slice.isEmpty {
        receives.append(Transfer(peer: rank, tag: tag, bytes: bytes(values + slice.lowerBound, slice.count)))
      }
    }
    try communicator.exchange(
      sending: sends, receiving: receives, phase: Phase("collection of the optimizer's state", step: step))
  }

  /// Brings every rank its slice of what rank 0 has in whole. Every rank has to call it. Asks for memory.
  ///
  /// - Parameter see: is shown each state in whole on every rank.
  func share(phase: Phase, see: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
    let spare = communicator.rank == 0 ? nil : try makeVector()
    if communicator.rank == 0 { try makeRoom() }
    let count = slices.map(\.upperBound).max() ?? 0
    let slice = slices[communicator.rank]
    for (place, state) in states.enumerated() {
      let values = spare?.floats ?? buffers[place]
      try communicator.broadcast(bytes(values, count), phase: phase)
      see(UnsafeRawBufferPointer(bytes(values, count)))
      state.values.update(from: values + slice.lowerBound, count: slice.count)
    }
  }

  private func makeVector() throws(Failure) -> GradientVector {
    try GradientVector(count: slices.map(\.upperBound).max() ?? 0)
  }

  private func bytes(_ values: UnsafeMutablePointer<Float>, _ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: values, count: count * MemoryLayout<Float>.stride)
  }
}
