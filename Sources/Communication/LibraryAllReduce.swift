import CMPI
import Failures

extension MPICommunicator {
  /// The MPI library's own sum over all ranks, to be compared with ours: its bits depend on the number of ranks.
  ///
  /// Every rank has to call it. `MPI_Allreduce` knows no deadline: a thread that watches it ends the process when it takes
  /// too long.
  ///
  /// - Parameters:
  ///   - source: [count], this rank's.
  ///   - destination: [count], gets the sums. Not the same memory.
  ///   - times: how often it is done.
  ///   - timeout: for all of it.
  /// - Returns: nanoseconds on this rank, of all times together.
  public func sumByLibrary(
    of source: UnsafePointer<Float>, into destination: UnsafeMutablePointer<Float>, count: Int, times: Int,
    timeout: Duration
  ) throws(Failure) -> UInt64 {
    guard let length = Int32(exactly: count) else {
      throw Failure(.usage, "MPI_Allreduce over \(count) numbers", remedy: "ask for at most \(Int32.max)")
    }
    let watch = try CallWatch(
      timeout: timeout,
      line: "rank \(rank): waited \(seconds(timeout)) for MPI_Allreduce over \(count) numbers; see whether another "
        + "rank is stopped; if it is only slow, raise communication.timeout_seconds")
    defer { watch.cancel() }
    let start = monotonicNanoseconds()
    for _ in 0..<times {
      try check(
        MPI_Allreduce(source, destination, length, dtrain_mpi_float(), dtrain_mpi_sum(), dtrain_mpi_comm_world()),
        "MPI_Allreduce", rank)
    }
    return monotonicNanoseconds() - start
  }
}
