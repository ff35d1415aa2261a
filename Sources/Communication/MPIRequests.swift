import CMPI
import Failures

/// The MPI requests of one exchange. Their memory is kept from one exchange to the next and only grows.
final class MPIRequests {
  enum Direction {
    case send, receive
  }

  /// MPI counts in 32 bits. What is larger goes as several messages, which arrive in the order they were sent.
  private static let largestMessage = 1 << 30

  private struct Pending {
    let peer: Int
    let byteCount: Int
    let direction: Direction
  }

  private var handles: UnsafeMutablePointer<MPI_Request?>
  private var capacity: Int
  private var pending: [Pending] = []
  /// The requests before this one have completed.
  private var completed = 0

  init() {
    capacity = 64
    handles = .allocate(capacity: capacity)
    pending.reserveCapacity(capacity)
  }

  deinit { handles.deallocate() }

  /// Starts a transfer.
  func post(_ transfer: Transfer, _ direction: Direction, rank: Int, phase: Phase) throws(Failure) {
    var offset = 0
    repeat {
      let byteCount = min(Self.largestMessage, transfer.bytes.count - offset)
      let start = transfer.bytes.baseAddress.map { $0 + offset }
      reserve(pending.count + 1)
      let handle = handles + pending.count
      handle.initialize(to: nil)
      let world = dtrain_mpi_comm_world()
      let (peer, tag, count) = (Int32(transfer.peer), Int32(transfer.tag), Int32(byteCount))
      switch direction {
      case .send:
        try check(
          MPI_Isend(start, count, dtrain_mpi_byte(), peer, tag, world, handle),
          "sending to rank \(transfer.peer)", rank, phase)
      case .receive:
        try check(
          MPI_Irecv(start, count, dtrain_mpi_byte(), peer, tag, world, handle),
          "receiving from rank \(transfer.peer)", rank, phase)
      }
      pending.append(Pending(peer: transfer.peer, byteCount: byteCount, direction: direction))
      offset += byteCount
    } while offset < transfer.bytes.count
  }

  /// Looks at the requests in turn, up to the first that is under way. MPI makes all of them progress meanwhile.
  ///
  /// - Returns: whether all have completed; then the next exchange may begin.
  func haveCompleted(rank: Int, phase: Phase) throws(Failure) -> Bool {
    while completed < pending.count {
      guard try hasCompleted(completed, rank, phase) else { return false }
      completed += 1
    }
    pending.removeAll(keepingCapacity: true)
    completed = 0
    return true
  }

  /// The ranks of all requests that are still under way, in order.
  func pendingPeers(rank: Int, phase: Phase) throws(Failure) -> [Int] {
    var peers: Set<Int> = []
    for index in completed..<pending.count {
      if !(try hasCompleted(index, rank, phase)) { peers.insert(pending[index].peer) }
    }
    // All have arrived in the last moment; a request that is done must not be looked at again.
    if peers.isEmpty {
      pending.removeAll(keepingCapacity: true)
      completed = 0
    }
    return peers.sorted()
  }

  private func hasCompleted(_ index: Int, _ rank: Int, _ phase: Phase) throws(Failure) -> Bool {
    var flag: Int32 = 0
    var status = MPI_Status()
    let code = MPI_Test(handles + index, &flag, &status)
    let transfer = pending[index]
    switch transfer.direction {
    case .send:
      try check(code, "sending to rank \(transfer.peer)", rank, phase)
    case .receive:
      if code == MPI_ERR_TRUNCATE {
        throw .sizesDiffer(
          peer: transfer.peer, expected: transfer.byteCount, received: nil, phase: phase)
      }
      try check(code, "receiving from rank \(transfer.peer)", rank, phase)
      guard flag != 0 else { return false }
      var count: Int32 = 0
      try check(MPI_Get_count(&status, dtrain_mpi_byte(), &count), "MPI_Get_count", rank, phase)
      if Int(count) != transfer.byteCount {
        throw .sizesDiffer(
          peer: transfer.peer, expected: transfer.byteCount, received: Int(count), phase: phase)
      }
    }
    return flag != 0
  }

  private func reserve(_ count: Int) {
    guard count > capacity else { return }
    let larger = UnsafeMutablePointer<MPI_Request?>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: handles, count: pending.count)
    handles.deallocate()
    handles = larger
    capacity *= 2
  }
}

/// Turns what an MPI function returns into an error that says what MPI says.
func check(
  _ code: Int32, _ what: @autoclosure () -> String, _ rank: Int? = nil, _ phase: Phase? = nil
) throws(Failure) {
  guard code != MPI_SUCCESS else { return }
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING))
  var length: Int32 = 0
  MPI_Error_string(code, &text, &length)
  let message = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let who = rank.map { "rank \($0): " } ?? ""
  let place = phase.map { " in \($0)" } ?? ""
  throw Failure(
    .failure, "\(who)\(what()) failed\(place): \(message)",
    remedy: "see what the other ranks and mpirun printed; try again")
}
