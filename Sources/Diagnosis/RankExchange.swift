import Communication
import Failures

/// What ranks send each other to find out whether they can.
enum RankExchange {
  static let byteCount = 1 << 20
  private static let phase = Phase("trial exchange")

  /// Every rank sends a known block to the next and looks at what comes from the one before: more than any transport
  /// sends at once, so that all of its ways are used.
  static func verify(_ communicator: any Communicator) throws(Failure) {
    let (rank, size) = (communicator.rank, communicator.size)
    guard size > 1 else { return }
    let sent = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer {
      sent.deallocate()
      received.deallocate()
    }
    for index in sent.indices { sent[index] = byte(index, from: rank) }
    received.initializeMemory(as: UInt8.self, repeating: 0)
    let (next, previous) = ((rank + 1) % size, (rank + size - 1) % size)
    try communicator.exchange(
      sending: [Transfer(peer: next, tag: 1, bytes: sent)],
      receiving: [Transfer(peer: previous, tag: 1, bytes: received)], phase: phase)
    if let wrong = received.indices.first(where: { received[$0] != byte($0, from: previous) }) {
      throw Failure(
        .inputOutput, "byte \(wrong) from rank \(previous) on \(communicator.hosts[previous]) has arrived changed",
        remedy: "try another transport (OMPI_MCA_btl=tcp,self), and have the memory and the network tested")
    }
    try communicator.barrier(phase: phase)
  }

  private static func byte(_ index: Int, from rank: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8 &+ rank &* 7)
  }

  /// Every rank's findings, by rank, on every rank. What is too long is cut.
  static func gather(_ findings: [Finding], on communicator: any Communicator) throws(Failure) -> [Finding] {
    let length = 4096
    let text = findings.flatMap(\.lines).joined(separator: "\n").utf8.prefix(length)
    let block = Array(text) + [UInt8](repeating: 0, count: length - text.count)
    let blocks = try communicator.allGather(block, phase: phase)
    return blocks.flatMap { Finding.read(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)) }
  }

  /// Every rank's number, by rank.
  static func gather(_ number: Int64, on communicator: any Communicator) throws(Failure) -> [Int64] {
    let block = withUnsafeBytes(of: number.littleEndian) { Array($0) }
    return try communicator.allGather(block, phase: phase).map { bytes in
      Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }
}
