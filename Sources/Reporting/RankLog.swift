import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What one rank says, in a file of its own, each line with its time. Lines are on their way to the disk at once, so that
/// those of a rank that is killed are there.
///
/// To be used by one thread at a time. What cannot be written is left out: a log must not end a run.
public final class RankLog {
  private let descriptor: Int32

  /// Creates the file `rank-0003.log`, or goes on with it.
  ///
  /// - Parameter folder: is there.
  /// - Throws: `.cannotCreate`.
  public init(folder: String, rank: Int) throws(Failure) {
    let digits = String(rank)
    let path = "\(folder)/rank-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits).log"
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Failure(
        .cannotCreate, "\(path): \(errorText(errno))", remedy: "choose a folder that can be written with --log-dir")
    }
  }

  deinit { close(descriptor) }

  /// Writes the text behind the local time; of a text of several lines each has it.
  public func write(_ text: String) {
    let time = Self.time()
    var lines = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) { lines += "\(time)  \(line)\n" }
    _ = lines.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// `2026-01-31T23:59:59.123`, local time.
  private static func time() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var seconds = now.tv_sec
    var parts = tm()
    localtime_r(&seconds, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }
    return "\(digits(date[0], 4))-\(digits(date[1], 2))-\(digits(date[2], 2))T\(clock.joined(separator: ":"))."
      + digits(now.tv_nsec / 1_000_000, 3)
  }
}
