import Communication
import DataParallel
import Failures
import Reporting

/// Times the ordered all-reduce beside the MPI library's own, over vectors of rising size: what `dtrain bench allreduce`
/// does on each rank.
public struct AllReduceComparison: Sendable {
  public static let smallestBytes = 4
  public static let largestBytes = 256 << 20

  /// Name and version of the program.
  public let program: String
  /// Bytes of the vectors, whole float32 numbers, rising.
  public let sizes: [Int]
  public let rounds: Int
  /// How long each of the two is measured in a round of a size.
  public let secondsPerRound: Double
  /// How long a rank waits for another.
  public let timeoutSeconds: Double

  /// - Parameters:
  ///   - smallest: bytes of the first size; each further one is four times as much.
  ///   - largest: bytes, which no size passes.
  public init(
    program: String, smallest: Int = smallestBytes, largest: Int = largestBytes, rounds: Int, secondsPerRound: Double,
    timeoutSeconds: Double
  ) {
    self.program = program
    sizes = Array(sequence(first: max(4, smallest / 4 * 4)) { $0 * 4 }.prefix { $0 <= largest })
    self.rounds = rounds
    self.secondsPerRound = secondsPerRound
    self.timeoutSeconds = timeoutSeconds
  }

  /// - Returns: the report on rank 0, nil on the others.
  /// - Throws: `.osError` where memory cannot be had; what an exchange throws.
  public func run(on communicator: any Communicator) throws(Failure) -> AllReduceReport? {
    try communicator.barrier(phase: Phase("start of the measurement"))
    var report = AllReduceReport(
      program: program, processor: processorName() ?? "unknown processor", communicator: communicator.summary,
      hosts: communicator.hosts, ranks: communicator.size, rounds: rounds, secondsPerRound: secondsPerRound)
    for size in sizes { report.rows.append(try measure(size, communicator)) }
    return communicator.rank == 0 ? report : nil
  }

  private func measure(_ bytes: Int, _ communicator: any Communicator) throws(Failure) -> AllReduceReport.Row {
    let count = bytes / MemoryLayout<Float>.stride
    let ordered = try ReductionMeasurement(communicator: communicator, parameterCount: count)
    let library = try LibraryMeasurement(communicator, count: count, timeoutSeconds: timeoutSeconds)
    var row = AllReduceReport.Row(bytes: bytes)
    let orderedTimes = try communicator.repetitions(toTake: secondsPerRound) { (times) throws(Failure) in
      try ordered.run(times: times)
    }
    var libraryTimes = 0
    if let library {
      libraryTimes = try communicator.repetitions(toTake: secondsPerRound) { (times) throws(Failure) in
        try library.run(times: times)
      }
    }
    for _ in 0..<rounds {
      row.ordered.append(try slowest(ordered.run(times: orderedTimes), communicator) / Double(orderedTimes))
      if let library {
        row.library.append(try slowest(library.run(times: libraryTimes), communicator) / Double(libraryTimes))
      }
    }
    return row
  }

  /// What the rank took that took the longest.
  private func slowest(_ seconds: Double, _ communicator: any Communicator) throws(Failure) -> Double {
    let all = try communicator.allGather([seconds], phase: Phase("gathering of the measurements"))
    return all.map { $0[0] }.max() ?? seconds
  }
}

/// `MPI_Allreduce` over numbers of one size.
private final class LibraryMeasurement {
  private let communicator: MPICommunicator
  private let source: GradientVector
  private let destination: GradientVector
  private let timeout: Duration

  /// Nil where the ranks are none of MPI.
  init?(_ communicator: any Communicator, count: Int, timeoutSeconds: Double) throws(Failure) {
    guard let communicator = communicator as? MPICommunicator else { return nil }
    self.communicator = communicator
    timeout = .milliseconds(Int(timeoutSeconds * 1000))
    source = try GradientVector(count: count)
    destination = try GradientVector(count: count)
  }

  /// - Returns: seconds on this rank, all repetitions together.
  func run(times: Int) throws(Failure) -> Double {
    try communicator.barrier(phase: Phase("measurement of MPI_Allreduce"))
    return Double(
      try communicator.sumByLibrary(
        of: source.floats, into: destination.floats, count: source.count, times: times, timeout: timeout)) * 1e-9
  }
}
