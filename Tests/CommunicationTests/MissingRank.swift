import Failures
import Synchronization
import Testing

@testable import Communication

/// What a barrier of replicas ends with to which one of them does not come before all others have given up. These meet
/// before it, so that however late a busy machine starts one of them, the timeout counts from when all are there.
func failureOfBarrier(without missing: Int, of count: Int, timeout: Duration) throws -> Failure {
  let (arrivals, departures) = (Gathering(), Gathering())
  let thrown = #expect(throws: Failure.self) {
    try InProcessReplicas.run(count: count, timeout: timeout) { (replica) throws(Failure) in
      if replica.rank == missing { return departures.wait(for: count - 1) }
      defer { departures.add() }
      arrivals.add()
      arrivals.wait(for: count - 1)
      try replica.barrier(phase: Phase("roll call", step: 3))
    }
  }
  return try #require(thrown)
}

/// A number of threads that others wait for.
private final class Gathering: Sendable {
  private let monitor = Monitor(conditions: 1)
  private let count = Mutex(0)

  func add() {
    monitor.lock()
    count.withLock { $0 += 1 }
    monitor.broadcast(0)
    monitor.unlock()
  }

  func wait(for number: Int) {
    monitor.lock()
    while count.withLock({ $0 }) < number { monitor.wait(on: 0) }
    monitor.unlock()
  }
}
