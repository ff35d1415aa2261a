import Communication
import DataParallel
import Failures

/// What one rank did with the time of some steps.
public struct RankTimes: Equatable, Sendable {
  /// The steps that were measured.
  public var steps = 0
  /// Seconds of those steps, all in all.
  public var seconds = 0.0
  /// Seconds of these in which it computed and added gradients.
  public var computation = 0.0
  /// Seconds of these in which it waited for other ranks or moved bytes.
  public var exchange = 0.0

  public init(steps: Int = 0, seconds: Double = 0, computation: Double = 0, exchange: Double = 0) {
    self.steps = steps
    self.seconds = seconds
    self.computation = computation
    self.exchange = exchange
  }
}

/// Measures a rank's steps and brings what was measured to rank 0, without asking for memory.
final class RankClock {
  private static let fields = 3
  private let communicator: any Communicator
  /// Nanoseconds on the way: of the whole steps, of the computation, of the exchange, rank by rank.
  private let blocks: UnsafeMutableBufferPointer<Double>
  private let receives: [Transfer]
  private let sends: [Transfer]
  private var steps = 0
  private var nanoseconds: UInt64 = 0
  private var before = ReductionTimes()
  private var times: [RankTimes]

  init(_ communicator: any Communicator) {
    self.communicator = communicator
    let (rank, size) = (communicator.rank, communicator.size)
    let blocks = UnsafeMutableBufferPointer<Double>.allocate(capacity: size * Self.fields)
    blocks.initialize(repeating: 0)
    func transfer(_ owner: Int, with peer: Int) -> Transfer {
      let block = UnsafeMutableBufferPointer(rebasing: blocks[owner * Self.fields..<(owner + 1) * Self.fields])
      return Transfer(peer: peer, tag: 0, bytes: UnsafeMutableRawBufferPointer(block))
    }
    self.blocks = blocks
    receives = rank == 0 ? (1..<max(1, size)).map { transfer($0, with: $0) } : []
    sends = rank == 0 ? [] : [transfer(rank, with: 0)]
    times = Array(repeating: RankTimes(), count: rank == 0 ? size : 0)
  }

  deinit { blocks.deallocate() }

  func stepDone(nanoseconds: UInt64) {
    steps += 1
    self.nanoseconds += nanoseconds
  }

  /// To be called on every rank after the same step.
  ///
  /// - Parameter total: what the reductions of this rank took since it began.
  /// - Returns: on rank 0 the times since the last call, by rank; nothing where no step was made since, and elsewhere.
  func gather(_ total: ReductionTimes, step: Int) throws(Failure) -> [RankTimes] {
    guard steps > 0 else { return [] }
    let own = communicator.rank * Self.fields
    blocks[own] = Double(nanoseconds)
    blocks[own + 1] = Double(total.computation - before.computation)
    blocks[own + 2] = Double(total.exchange - before.exchange)
    let phase = Phase("gathering of the ranks' times", step: step)
    try communicator.exchange(sending: sends, receiving: receives, phase: phase)
    for rank in times.indices {
      let start = rank * Self.fields
      times[rank] = RankTimes(
        steps: steps, seconds: blocks[start] * 1e-9, computation: blocks[start + 1] * 1e-9,
        exchange: blocks[start + 2] * 1e-9)
    }
    before = total
    steps = 0
    nanoseconds = 0
    return times
  }
}
