import Communication
import DataParallel
import Failures
import NeuralNetwork
import Reporting
import Training

/// Makes a timeline of a run: what every thread of every rank was doing when, in one file in the trace event format of
/// Chrome, which Perfetto (ui.perfetto.dev) and chrome://tracing open.
public struct TimelineRecorder: RunRecorder {
  /// The file, which is written when the run has ended well or has stopped as asked.
  public let path: String
  /// Program and version, for the file.
  public let program: String
  /// Says nothing on standard output.
  public let isQuiet: Bool
  /// How what is said is written.
  public let messages: MessageFormat

  /// The most moments that a thread keeps, of which each ends one thing and begins another; of more, the oldest go. A
  /// step of 20 microbatches through DeepConvNet has about 800.
  public static let largestCapacity = 1 << 17
  /// The most moments of all threads of all ranks together: of many, each keeps fewer.
  public static let totalCapacity = 1 << 21

  public init(path: String, program: String, isQuiet: Bool = false, messages: MessageFormat = .text) {
    self.messages = messages
    self.path = path
    self.program = program
    self.isQuiet = isQuiet
  }

  /// - Throws: on rank 0 `.cannotCreate` or `.noPermission` where no file could be written in that place.
  public func record(
    _ network: Network, threads: Int, communicator: any Communicator
  ) throws(Failure) -> any RunRecord {
    if communicator.rank == 0 { try TraceFile.probe(path) }
    let offset = try ClockOffset.toRankZero(communicator)
    return RankTimeline(
      recorder: self, layers: network.segment.layers.map(\.name), threads: threads,
      capacity: Self.capacity(threads: threads * communicator.size), clockOffset: offset, communicator: communicator)
  }

  /// A power of two.
  static func capacity(threads: Int) -> Int {
    var capacity = largestCapacity
    while capacity > 1 << 10 && capacity * threads > totalCapacity { capacity /= 2 }
    return capacity
  }
}

/// One rank's part of a timeline.
///
/// Unchecked: each worker writes into its own ring.
final class RankTimeline: RunRecord, @unchecked Sendable {
  private let recorder: TimelineRecorder
  private let layers: [String]
  private let rings: [MomentRing]
  /// What has to be added to this rank's clock to get rank 0's. In nanoseconds.
  private let clockOffset: Int64
  private let communicator: any Communicator

  init(
    recorder: TimelineRecorder, layers: [String], threads: Int, capacity: Int, clockOffset: Int64,
    communicator: any Communicator
  ) {
    self.recorder = recorder
    self.layers = layers
    rings = (0..<threads).map { _ in MomentRing(capacity: capacity) }
    self.clockOffset = clockOffset
    self.communicator = communicator
  }

  func enters(_ stage: StepStage) {
    switch stage {
    case .step(let number): rings[0].add(.step, number: number)
    case .evaluation(let number): rings[0].add(.evaluation, number: number)
    case .ordering: rings[0].add(.ordering)
    case .update: rings[0].add(.update)
    case .preparation: rings[0].add(.preparation)
    case .idle: rings[0].add(.betweenSteps)
    }
  }

  func worker(_ worker: Int, enters stage: ReductionStage) {
    switch stage {
    // Said more closely by `computes`.
    case .computation: break
    case .addition: rings[worker].add(.addition)
    case .scattering: rings[worker].add(.scattering)
    case .finishing: rings[worker].add(.finishing)
    case .gathering: rings[worker].add(.gathering)
    case .idle: rings[worker].add(.pause)
    }
  }

  func worker(_ worker: Int, computes microbatch: Int) { rings[worker].add(.microbatch, number: microbatch) }

  func workspaceObserver(ofWorker worker: Int) -> any WorkspaceObserver { rings[worker] }

  /// Brings the moments of all ranks to rank 0, which writes the file.
  func finish() throws(Failure) {
    let own = RankMoments(
      rank: communicator.rank, processStart: ProcessStart.nanoseconds(), rings: rings, clockOffset: clockOffset)
    guard let ranks = try own.gather(on: communicator) else { return }
    let file = TraceFile(
      program: recorder.program, hosts: communicator.hosts, layers: layers, ranks: ranks, capacity: rings[0].capacity)
    let counts = try file.write(to: recorder.path)
    guard !recorder.isQuiet else { return }
    let output = TextOutput(format: recorder.messages)
    let dropped = counts.dropped == 0 ? "" : "; of a longer run the last, \(counts.dropped) moments before were dropped"
    output.writeLine("timeline \(recorder.path) (\(counts.spans) events\(dropped))")
    try output.finish()
  }
}

extension ProcessStart {
  /// On this process's monotonic clock; nil where the system does not tell.
  static func nanoseconds() -> UInt64? {
    elapsedSeconds().map { seconds in
      let (now, elapsed) = (monotonicNanoseconds(), UInt64(max(0, seconds) * 1e9))
      return now > elapsed ? now - elapsed : 0
    }
  }
}
