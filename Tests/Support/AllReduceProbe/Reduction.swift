import Communication
import DataParallel
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sets up as the trainer does, reduces made-up gradients for each number of leaves, and lets rank 0 print what came
/// out, after all ranks have agreed that they have the same.
func reduce(_ arguments: Arguments, _ communicator: any Communicator) throws(Failure) {
  var setting = [UInt8](repeating: 0, count: 32)
  if communicator.rank == 0 { setting = (0..<32).map { UInt8($0) } }
  try withBytes(of: &setting) { (bytes) throws(Failure) in
    try communicator.broadcast(bytes, phase: Phase("broadcast of the setting"))
  }
  let fault = arguments.fault.flatMap { $0.rank == communicator.rank ? $0.kind : nil }
  if fault == .differing { setting[31] = 0 }
  try communicator.agree(on: setting, what: "setting", phase: Phase("agreement on the setting"))

  let reduction = try OrderedAllReduce(
    communicator: communicator, parameterCount: arguments.count, maximumLeaves: arguments.leaves.max() ?? 1,
    workers: arguments.workers)
  for (step, leaves) in arguments.leaves.enumerated() {
    if step == 1, let fault { try strike(fault, communicator) }
    let (gradient, statistics) = try reduction.reduce(
      leaves: leaves, phase: Phase("gradient exchange", step: step)
    ) { (_, leaf, vector) throws(Failure) in
      if step == 1 && fault == .failing {
        throw Failure(.badData, "leaf \(leaf) cannot be computed", remedy: "ask for another fault")
      }
      fill(vector, leaf: leaf)
    }
    let digest = fingerprint(gradient, arguments.count, statistics)
    try communicator.agree(
      on: (0..<8).map { UInt8(truncatingIfNeeded: digest >> (8 * $0)) }, what: "gradient",
      phase: Phase("comparison", step: step))
    if communicator.rank == 0 {
      print("leaves \(leaves) samples \(statistics.samples) digest \(String(digest, radix: 16))")
    }
  }
}

private func strike(_ fault: Fault.Kind, _ communicator: any Communicator) throws(Failure) {
  switch fault {
  case .stopped: raise(SIGSTOP)
  case .exiting: exit(0)
  case .leaving: try communicator.finish()
  case .aborting: communicator.abort(.preempted)
  case .short:
    var bytes: [UInt8] = [1, 2, 3]
    let peer = communicator.rank == 0 ? 1 : 0
    try withBytes(of: &bytes) { (bytes) throws(Failure) in
      try communicator.exchange(sending: [Transfer(peer: peer, tag: 0, bytes: bytes)], phase: Phase("fault"))
    }
  case .failing, .differing: break
  }
}

/// Floats of very different sizes, so that another order of addition gives other bits.
private func fill(_ vector: GradientVector, leaf: Int) {
  var state = UInt64(leaf + 1) &* 0x9E37_79B9_7F4A_7C15
  for index in 0..<vector.count {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let bits = state >> 33
    let unit = Float(Int32(truncatingIfNeeded: bits) - (1 << 30)) / Float(1 << 30)
    vector.floats[index] = unit * Float(1 << (bits & 15))
  }
  vector.statistics = StepStatistics(
    lossSum: 0.1 + 1 / Double(leaf + 3), correct: leaf, samples: 5, nonFinite: leaf % 2, stopRequests: leaf % 3)
}

/// FNV-1a over the bits of all that a reduction returns.
private func fingerprint(
  _ gradient: UnsafeMutablePointer<Float>, _ count: Int, _ statistics: StepStatistics
) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  func mix(_ value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) { hash = (hash ^ (value >> shift & 0xFF)) &* 0x100_0000_01B3 }
  }
  for index in 0..<count { mix(UInt64(gradient[index].bitPattern)) }
  mix(statistics.lossSum.bitPattern)
  for number in [statistics.correct, statistics.samples, statistics.nonFinite, statistics.stopRequests] {
    mix(UInt64(number))
  }
  return hash
}

private func withBytes(
  of bytes: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
  let outcome = bytes.withUnsafeMutableBytes { buffer in
    Result { () throws(Failure) in try body(buffer) }
  }
  try outcome.get()
}
