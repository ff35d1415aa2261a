@testable import Checkpoints
@testable import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

private let metrics = ScratchFile("metrics")

/// The small files of a run's folder that a later run reads: the lock, the best, the metrics.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRunFiles(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  if let owner = RunLock.Owner(text: bytes) {
    require(owner.process > 0, "a lock names a process")
    require(RunLock.Owner(text: Array(owner.text.utf8)) == owner, "a lock that is written comes back")
  }
  var scanner = JSONScanner(bytes)
  _ = try? scanner.object { (_, scanner) throws(JSONProblem) in _ = try scanner.unsignedInteger() }
  require(scanner.offset <= bytes.count, "no reader runs past the end")
  requireCut(bytes, heading: "", MetricsRecords.position(inJSON:))
  requireCut(bytes, heading: MetricsTable.heading, MetricsTable.position)
  return 0
}

/// Records of metrics are cut off behind a step, and then are as they should be.
private func requireCut(_ bytes: [UInt8], heading: String, _ position: ([UInt8]) -> RecordPosition?) {
  metrics.write(bytes)
  let descriptor = open(metrics.path, O_RDWR | O_CLOEXEC)
  defer { close(descriptor) }
  func cut() -> Int32? { MetricsRecords.cut(descriptor, after: 3, heading: heading, position: position) }
  require(cut() == nil, "metrics can be cut")
  var status = stat()
  fstat(descriptor, &status)
  require(Int(status.st_size) <= bytes.count, "and are no longer than before")
  let before = status.st_size
  require(cut() == nil, "twice")
  fstat(descriptor, &status)
  require(status.st_size == before, "which changes nothing more")
}
