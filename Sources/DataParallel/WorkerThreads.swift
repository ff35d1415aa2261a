import Communication
import Failures

/// A number of workers that do the same piece of work together: the caller's thread and others that wait in between.
final class WorkerThreads {
  let count: Int
  private let shared = Shared()
  private var threads: [PosixThread] = []

  /// Unchecked: every stored variable is used under the monitor alone.
  private final class Shared: @unchecked Sendable {
    static let work = 0
    static let done = 1

    let monitor = Monitor(conditions: 2)
    var body: ((Int) -> Void)?
    /// Counts the pieces of work, so that a thread knows a new one.
    var round = 0
    var running = 0
    var isEnding = false

    func runThread(_ worker: Int) {
      var seen = 0
      monitor.lock()
      while true {
        while round == seen && !isEnding { monitor.wait(on: Self.work) }
        if isEnding { break }
        seen = round
        monitor.unlock()
        callBody(worker)
        monitor.lock()
        running -= 1
        if running == 0 { monitor.signal(Self.done) }
      }
      monitor.unlock()
    }

    /// A function of its own, so that its hold on the closure has ended before the piece of work is called done.
    @inline(never)
    private func callBody(_ worker: Int) {
      monitor.lock()
      let body = body
      monitor.unlock()
      body?(worker)
    }
  }

  /// - Parameter count: the number of workers, at least 1; one of them is whoever calls `run`.
  init(count: Int) throws(Failure) {
    self.count = count
    let shared = shared
    for worker in 1..<max(1, count) {
      threads.append(try PosixThread { shared.runThread(worker) })
    }
  }

  deinit {
    shared.monitor.lock()
    shared.isEnding = true
    shared.monitor.broadcast(Shared.work)
    shared.monitor.unlock()
    for thread in threads { thread.join() }
  }

  /// Calls `body` with the numbers 0 to count − 1, each on its worker, at the same time; returns when all are done.
  func run(_ body: (_ worker: Int) -> Void) {
    if threads.isEmpty { return body(0) }
    withoutActuallyEscaping(body) { body in
      shared.monitor.lock()
      shared.body = body
      shared.round += 1
      shared.running = threads.count
      shared.monitor.broadcast(Shared.work)
      shared.monitor.unlock()
      body(0)
      shared.monitor.lock()
      while shared.running > 0 { shared.monitor.wait(on: Shared.done) }
      shared.body = nil
      shared.monitor.unlock()
    }
  }
}
