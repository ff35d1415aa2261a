import Failures
import Synchronization
import Testing

@testable import Communication

/// What a barrier of replicas ends with to which one of them does not come before another has given up. The others meet
/// before it, so that however late a busy machine starts one of them, the timeout counts from when all are there.
func failureOfBarrier(without missing: Int, of count: Int, timeout: Duration) throws -> Failure {
  let isOver = Monitor(conditions: 1)
  let allAreThere = Monitor(conditions: 1)
  let arrivals = Mutex(0)
  let thrown = #expect(throws: Failure.self) {
    try InProcessReplicas.run(count: count, timeout: timeout) { (replica) throws(Failure) in
      if replica.rank == missing {
        isOver.lock()
        isOver.wait(on: 0)
        isOver.unlock()
        return
      }
      defer {
        isOver.lock()
        isOver.broadcast(0)
        isOver.unlock()
      }
      allAreThere.lock()
      let arrived = arrivals.withLock {
        $0 += 1
        return $0
      }
      if arrived == count - 1 {
        allAreThere.broadcast(0)
      } else {
        while arrivals.withLock({ $0 }) < count - 1 { allAreThere.wait(on: 0) }
      }
      allAreThere.unlock()
      try replica.barrier(phase: Phase("roll call", step: 3))
    }
  }
  return try #require(thrown)
}
