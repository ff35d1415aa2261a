#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A mutex and a fixed number of conditions to wait on under it.
///
/// Unchecked: the mutex and the conditions are made for several threads, and nothing else is stored.
public final class Monitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let conditions: UnsafeMutablePointer<pthread_cond_t>
  private let conditionCount: Int

  public init(conditions count: Int) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    conditionCount = count
    conditions = .allocate(capacity: count)
    conditions.initialize(repeating: pthread_cond_t(), count: count)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    #if !canImport(Darwin)
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    #endif
    for index in 0..<count { pthread_cond_init(conditions + index, &attributes) }
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    for index in 0..<conditionCount { pthread_cond_destroy(conditions + index) }
    conditions.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  public func lock() { pthread_mutex_lock(mutex) }
  public func unlock() { pthread_mutex_unlock(mutex) }

  /// Lets go of the mutex until the condition is signalled, or now and then for no reason.
  public func wait(on condition: Int) {
    pthread_cond_wait(conditions + condition, mutex)
  }

  /// As `wait(on:)`, but no longer than until `deadline`.
  ///
  /// - Parameter deadline: a reading of `monotonicNanoseconds()`.
  /// - Returns: false when the deadline has passed.
  public func wait(on condition: Int, until deadline: UInt64) -> Bool {
    #if canImport(Darwin)
      let now = monotonicNanoseconds()
      guard deadline > now else { return false }
      var time = timespec(nanoseconds: deadline - now)
      return pthread_cond_timedwait_relative_np(conditions + condition, mutex, &time) != ETIMEDOUT
    #else
      var time = timespec(nanoseconds: deadline)
      return pthread_cond_timedwait(conditions + condition, mutex, &time) != ETIMEDOUT
    #endif
  }

  public func signal(_ condition: Int) { pthread_cond_signal(conditions + condition) }
  public func broadcast(_ condition: Int) { pthread_cond_broadcast(conditions + condition) }
}

/// A clock that never jumps. In nanoseconds.
public func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension timespec {
  init(nanoseconds: UInt64) {
    self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

extension Duration {
  /// In nanoseconds; 0 for a negative one, centuries at most.
  var nanoseconds: UInt64 {
    let seconds = UInt64(max(0, min(components.seconds, 1 << 32)))
    return seconds * 1_000_000_000 + UInt64(max(0, components.attoseconds) / 1_000_000_000)
  }
}
