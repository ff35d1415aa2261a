import Communication
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How far the clocks of ranks are apart.
public enum ClockOffset {
  /// What has to be added to this rank's monotonic clock to get rank 0's. In nanoseconds.
  ///
  /// Ranks on one system share its clock: 0. For the others see `measured`. Every rank has to call it.
  static func toRankZero(_ communicator: any Communicator) throws(Failure) -> Int64 {
    let phase = Phase("comparison of clocks")
    let systems = try communicator.allGather(systemIdentity(), phase: phase)
    let others = systems.indices.filter { systems[$0] != systems[0] }
    return try measured(communicator, for: others, clock: monotonicNanoseconds)
  }

  /// One exchange with each of the ranks named, in turn: rank 0 asks, the rank answers with its time, which it is taken
  /// to have read in the middle between question and answer (Cristian, "Probabilistic clock synchronization", 1989). Of
  /// several questions the one with the fastest answer counts; the error is at most half the time that it took.
  public static func measured(
    _ communicator: any Communicator, for others: [Int], clock: () -> UInt64
  ) throws(Failure) -> Int64 {
    let phase = Phase("comparison of clocks")
    var offset: Int64 = 0
    for peer in others where communicator.rank == 0 || communicator.rank == peer {
      if communicator.rank == 0 {
        var best: (time: UInt64, offset: Int64) = (.max, 0)
        for _ in 0..<questions {
          let asked = clock()
          try communicator.send(0, to: peer, phase)
          let answer = try communicator.receive(from: peer, phase)
          let time = clock() &- asked
          if time < best.time { best = (time, Int64(bitPattern: asked &+ time / 2 &- answer)) }
        }
        try communicator.send(UInt64(bitPattern: best.offset), to: peer, phase)
      } else {
        for _ in 0..<questions {
          _ = try communicator.receive(from: 0, phase)
          try communicator.send(clock(), to: 0, phase)
        }
        offset = Int64(bitPattern: try communicator.receive(from: 0, phase))
      }
    }
    return offset
  }

  private static let questions = 8

  /// 64 bytes that are the same for processes of one running kernel and for no others.
  private static func systemIdentity() -> [UInt8] {
    var identity = [UInt8](repeating: 0, count: 64)
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 {
      _ = read(descriptor, &identity, identity.count)
      close(descriptor)
    } else {
      gethostname(&identity, identity.count)
    }
    return identity
  }
}

extension Communicator {
  fileprivate func send(_ number: UInt64, to peer: Int, _ phase: Phase) throws(Failure) {
    var number = number
    let outcome = withUnsafeMutableBytes(of: &number) { bytes in
      Result { () throws(Failure) in
        try self.exchange(sending: [Transfer(peer: peer, tag: 0, bytes: bytes)], phase: phase)
      }
    }
    try outcome.get()
  }

  fileprivate func receive(from peer: Int, _ phase: Phase) throws(Failure) -> UInt64 {
    var number: UInt64 = 0
    let outcome = withUnsafeMutableBytes(of: &number) { bytes in
      Result { () throws(Failure) in
        try self.exchange(receiving: [Transfer(peer: peer, tag: 0, bytes: bytes)], phase: phase)
      }
    }
    try outcome.get()
    return number
  }
}
