import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One rank alone, without any MPI call: for a run without a launcher, debuggers, sanitizers and tests.
public final class SingleProcess: Communicator {
  public let rank = 0
  public let size = 1
  public let hosts = [hostName()]
  public let summary = "single process"

  public init() {}

  public func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure) {
    if let transfer = sends.first ?? receives.first {
      throw .invalidTransfer(transfer, rank: rank, size: size, phase: phase)
    }
  }

  public func abort(_ code: ExitCode) -> Never {
    exit(code.rawValue)
  }

  public func finish() {}
}
