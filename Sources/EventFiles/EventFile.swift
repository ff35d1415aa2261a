import Failures
import ProtocolBuffers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file of events that TensorBoard reads, at whose end whole records are written.
///
/// A record of TFRecord's form is the length of its data (64 bits, little-endian), the masked checksum of these eight
/// bytes, the data, and their masked checksum. The data are an `Event`, of tensorflow/core/util/event.proto.
///
/// Records are kept until `flush`, or until there are many, without asking for memory. After an error of the system what
/// is left of the last record is cut off, and nothing more is written.
final class EventFile {
  private static let capacity = 1 << 16

  let path: String
  private let descriptor: Int32
  private var kept: [UInt8] = []
  private var event = ProtocolBuffer()
  /// Bytes of whole records in the file.
  private var length = 0
  /// The system's number of what went wrong.
  private(set) var error: Int32?

  /// - Throws: `.cannotCreate`.
  convenience init(path: String) throws(Failure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Failure(
        .cannotCreate, "\(path): \(String(cString: strerror(errno)))",
        remedy: "choose a folder that can be written with --run-dir, or set reporting.tensorboard=false")
    }
    self.init(descriptor: descriptor, path: path)
  }

  /// - Parameter descriptor: of an empty file, which is closed with this.
  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
    kept.reserveCapacity(2 * Self.capacity)
    event.reserve(Self.capacity)
  }

  deinit { close(descriptor) }

  /// Adds an event of now.
  ///
  /// - Parameter content: adds its fields behind the time and the step.
  func add(step: Int, _ content: (inout ProtocolBuffer) -> Void) {
    guard error == nil else { return }
    event.clear()
    event.double(EventField.wallTime, Self.wallTime())
    event.integer(EventField.step, step)
    content(&event)
    event.withBytes { data in
      append(UInt64(data.count))
      append(data)
    }
    if kept.count >= Self.capacity { flush() }
  }

  /// Writes what was kept.
  func flush() {
    guard error == nil, !kept.isEmpty else { return }
    error = kept.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        let count = write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      return nil
    }
    if error == nil {
      length += kept.count
    } else {
      while ftruncate(descriptor, off_t(length)) != 0 && errno == EINTR {}
    }
    kept.removeAll(keepingCapacity: true)
  }

  private func append(_ count: UInt64) {
    withUnsafeBytes(of: count.littleEndian) { bytes in
      kept.append(contentsOf: bytes)
      appendChecksum(of: bytes)
    }
  }

  private func append(_ data: UnsafeRawBufferPointer) {
    kept.append(contentsOf: data)
    appendChecksum(of: data)
  }

  private func appendChecksum(of bytes: UnsafeRawBufferPointer) {
    withUnsafeBytes(of: MaskedChecksum.of(bytes).littleEndian) { kept.append(contentsOf: $0) }
  }

  /// Seconds since 1970.
  private static func wallTime() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
  }
}

/// Numbers of the fields of an `Event` and of what is in it.
///
/// Source: tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto, tensor.proto.
enum EventField {
  static let wallTime = 1
  static let step = 2
  static let fileVersion = 3
  static let summary = 5
  static let sessionLog = 7

  /// In a summary.
  static let value = 1

  /// In a value of a summary.
  static let tag = 1
  static let simpleValue = 2
  static let image = 4
  static let histogram = 5
  static let tensor = 8
  static let metadata = 9
}
