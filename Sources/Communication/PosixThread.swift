import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A thread with a stack of a stated size.
public struct PosixThread {
  private let handle: pthread_t

  /// Starts a thread that runs `body` and ends.
  ///
  /// - Parameter stackBytes: what the main thread of a process usually has, unless said otherwise.
  /// - Throws: `.osError` where the system has no thread left.
  public init(stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void) throws(Failure) {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)

    let box = Unmanaged.passRetained(Box(body))
    #if canImport(Darwin)
      var started: pthread_t?
      let code = pthread_create(
        &started, &attributes,
        { argument in
          Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, box.toOpaque())
    #else
      let place = UnsafeMutablePointer<pthread_t>.allocate(capacity: 1)
      defer { place.deallocate() }
      let code = pthread_create(
        place, &attributes,
        { argument in
          if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, box.toOpaque())
      let started: pthread_t? = code == 0 ? place.pointee : nil
    #endif
    guard code == 0, let started else {
      box.release()
      throw Failure(
        .osError, "no thread could be started: \(String(cString: strerror(code)))",
        remedy: "ask for fewer threads or replicas, or raise the limit of processes (ulimit -u)")
    }
    handle = started
  }

  /// Waits until the thread has ended. To be called once.
  public func join() {
    pthread_join(handle, nil)
  }
}
