import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ChildProcess {
  /// What came of a program that was to answer within some time.
  public struct Answer: Sendable {
    /// Nil where it took too long.
    public let end: End?
    /// What it wrote to standard output and to standard error, in the order in which it came; the first mebibyte.
    public let output: String
  }

  /// Starts a program and listens until it has ended; one that takes too long is ended, with its process group.
  ///
  /// - Throws: as `init` does.
  public static func answer(
    of arguments: [String], environment: [String: String], seconds: Double
  ) throws(Failure) -> Answer {
    let child = try ChildProcess(arguments, environment: environment, hearsOutput: true)
    var bytes: [UInt8] = []
    func listen(until end: ContinuousClock.Instant?) {
      while child.end == nil, end.map({ ContinuousClock.now < $0 }) ?? true {
        child.wait(milliseconds: 50) { chunk in if bytes.count < 1 << 20 { bytes += chunk } }
      }
    }
    listen(until: .now + .seconds(seconds))
    let end = child.end
    if end == nil {
      // mpirun takes its ranks down when it is asked to end, and leaves them where it is killed.
      child.signal(SIGTERM)
      listen(until: .now + .seconds(5))
      child.killGroup()
      listen(until: nil)
    } else {
      // What was written and not read yet.
      child.wait(milliseconds: 0) { bytes += $0 }
    }
    return Answer(end: end, output: String(decoding: bytes, as: UTF8.self))
  }
}
