import Failures
import Testing

@testable import Communication

/// What a barrier of replicas ends with to which one of them does not come before another has given up.
func failureOfBarrier(without missing: Int, of count: Int, timeout: Duration) throws -> Failure {
  let isOver = Monitor(conditions: 1)
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
      try replica.barrier(phase: Phase("roll call", step: 3))
    }
  }
  return try #require(thrown)
}
