import Communication
import DataParallel
import Failures
import Reporting

/// The ordered all-reduce of one gradient a rank, without the computation that goes before it in a step.
final class ReductionMeasurement {
  private let communicator: any Communicator
  private let reduction: OrderedAllReduce

  init(communicator: any Communicator, parameterCount: Int) throws(Failure) {
    self.communicator = communicator
    reduction = try OrderedAllReduce(
      communicator: communicator, parameterCount: parameterCount, maximumLeaves: communicator.size)
  }

  /// - Returns: seconds on this rank, all repetitions together.
  func run(times: Int) throws(Failure) -> Double {
    try communicator.barrier(phase: Phase("measurement of the all-reduce"))
    let start = monotonicSeconds()
    for _ in 0..<times {
      _ = try reduction.reduce(leaves: communicator.size, phase: Phase("measurement of the all-reduce")) {
        (_, _, gradient) in gradient.statistics = StepStatistics(samples: 1)
      }
    }
    return monotonicSeconds() - start
  }
}
