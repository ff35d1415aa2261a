import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file of a run to which records are added line by line, and which a run that goes on takes up.
final class RecordFile {
  private let path: String
  private let descriptor: Int32

  /// Creates the file, in place of what had its name, or cuts it off behind the steps that were made.
  ///
  /// - Parameters:
  ///   - heading: the first line; empty for none.
  ///   - position: of a whole line, with its end; nil for one that is no record.
  /// - Throws: a failure with `ExitCode.cannotCreate` or `ExitCode.inputOutput`.
  init(
    path: String, goingOnAfter step: Int, heading: String = "", position: ([UInt8]) -> RecordPosition?
  ) throws(Failure) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | (step > 0 ? 0 : O_TRUNC) | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Failure(
        .cannotCreate, "\(path): \(errorText(errno))", remedy: "choose a folder that can be written with --run-dir")
    }
    if step > 0, let error = MetricsRecords.cut(descriptor, after: step, heading: heading, position: position) {
      throw Failure(.inputOutput, "\(path): \(errorText(error))", remedy: "check the file and its file system")
    }
    var status = stat()
    if !heading.isEmpty, fstat(descriptor, &status) == 0, status.st_size == 0 { try append(heading) }
  }

  deinit { close(descriptor) }

  /// - Throws: a failure with `ExitCode.inputOutput`.
  func append(_ text: String) throws(Failure) {
    var text = text
    let error = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
    guard error == 0 else {
      throw Failure(.inputOutput, "\(path): \(errorText(error))", remedy: "make room there or choose another --run-dir")
    }
  }
}
