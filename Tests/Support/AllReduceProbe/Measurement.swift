import CMPI
import Communication
import DataParallel
import Failures

/// How long each stage of the caller's thread took in one reduction.
private final class StageClock: ReductionObserver {
  private(set) var nanoseconds = [UInt64](repeating: 0, count: ReductionStage.allCases.count)
  private var current: (stage: ReductionStage, since: UInt64)?

  func worker(_ worker: Int, enters stage: ReductionStage) {
    guard worker == 0 else { return }
    let now = monotonicNanoseconds()
    if let current { nanoseconds[current.stage.rawValue] += now - current.since }
    current = (stage, now)
  }

  func reset() {
    nanoseconds = [UInt64](repeating: 0, count: nanoseconds.count)
    current = nil
  }
}

/// Times the ordered all-reduce of leaves that cost nothing against `MPI_Allreduce` over as many floats, in turn, and
/// lets rank 0 print best and median in microseconds.
func measure(_ arguments: Arguments, _ communicator: any Communicator) throws(Failure) {
  let leaves = arguments.leaves.first ?? 20
  let reduction = try OrderedAllReduce(
    communicator: communicator, parameterCount: arguments.count, maximumLeaves: leaves, workers: arguments.workers)
  let clock = StageClock()
  reduction.observer = clock
  let values = UnsafeMutablePointer<Float>.allocate(capacity: arguments.count)
  values.initialize(repeating: 0, count: arguments.count)
  defer { values.deallocate() }

  var rows: [String: [UInt64]] = [:]
  for round in 0..<arguments.measuredRounds {
    try communicator.barrier(phase: Phase("measurement", step: round))
    clock.reset()
    let start = monotonicNanoseconds()
    _ = try reduction.reduce(leaves: leaves, phase: Phase("measurement", step: round)) { (_, _, vector) in
      vector.statistics = StepStatistics(samples: 5)
    }
    rows["ordered, total", default: []].append(monotonicNanoseconds() - start)
    let exchange: [ReductionStage] = [.scattering, .finishing, .gathering]
    rows["ordered, after the local additions", default: []].append(
      exchange.reduce(0) { $0 + clock.nanoseconds[$1.rawValue] })
    for stage in ReductionStage.allCases where stage != .idle {
      rows["  \(stage)", default: []].append(clock.nanoseconds[stage.rawValue])
    }
    if communicator is MPICommunicator {
      try communicator.barrier(phase: Phase("measurement", step: round))
      let start = monotonicNanoseconds()
      MPI_Allreduce(
        dtrain_mpi_in_place(), values, Int32(arguments.count), dtrain_mpi_float(), dtrain_mpi_sum(),
        dtrain_mpi_comm_world())
      rows["MPI_Allreduce", default: []].append(monotonicNanoseconds() - start)
    }
  }
  guard communicator.rank == 0 else { return }
  print("\(communicator.summary), \(leaves) leaves of \(arguments.count) floats, \(arguments.workers) workers:")
  for (name, times) in rows.sorted(by: { $0.key < $1.key }) {
    let sorted = times.sorted()
    print("  \(name): best \(Double(sorted[0]) / 1000), median \(Double(sorted[sorted.count / 2]) / 1000)")
  }
}
