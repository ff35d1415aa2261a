#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a rank does between two looks at what it waits for: at first nothing, which costs the least latency; then it
/// lets others run; after a long time it sleeps, since whoever is late by that much is not late by some microseconds.
struct PolledWait {
  private static let longestGap: UInt64 = 1_000_000_000
  private let allowed: UInt64
  private let spins: Int
  private var polls = 0
  private var start: UInt64
  private var lastLook: UInt64

  /// - Parameter isOversubscribed: another rank may need this processor to bring what is waited for.
  init(timeout: Duration, isOversubscribed: Bool) { self.init(timeout: timeout, spins: isOversubscribed ? 100 : 2000) }

  /// - Parameter spins: looks before others may run between two of them.
  init(timeout: Duration, spins: Int) {
    allowed = timeout.nanoseconds
    self.spins = spins
    start = monotonicNanoseconds()
    lastLook = start
  }

  /// To be called after a look in vain.
  ///
  /// - Returns: false when the time allowed has passed.
  mutating func pause() -> Bool {
    polls += 1
    if polls <= spins { return true }
    let now = monotonicNanoseconds()
    // This process was stopped meanwhile, by a debugger or a signal, and so may the others have been; or it has had to
    // wait for a processor. That counts as a second, so that the wait comes to its end in either case.
    if now - lastLook > Self.longestGap { start += now - lastLook - Self.longestGap }
    lastLook = now
    if now - start >= allowed { return false }
    if lastLook - start > 50_000_000 {
      usleep(100)
    } else {
      sched_yield()
    }
    return true
  }
}
