import CMPI
import Failures

/// Which ranks share a node, and the memory that they share.
extension MPICommunicator {
  /// The ranks of a node that have as many on each: one after another.
  struct Node: Equatable {
    /// The lowest of its ranks.
    var first: Int
    var count: Int
  }

  public func shareMemory(byteCount: Int) throws(Failure) -> SharedRegions? {
    let phase = Phase("sharing of memory")
    guard let node = try uniformNode(phase), node.count > 1 else { return nil }
    // Processors fetch cache lines in pairs.
    let regionBytes = (byteCount + SharedRegions.headBytes + 127) / 128 * 128
    var memory = rank == node.first ? NodeMemory(byteCount: regionBytes * node.count) : nil
    // Where one rank cannot have it, none goes by it.
    let place = memory?.place ?? .none
    let places = try gather([place.process, place.file], phase)
    let shown = NodeMemory.Place(process: places[node.first, 0], file: places[node.first, 1])
    if rank != node.first, shown != .none { memory = NodeMemory(at: shown, byteCount: regionBytes * node.count) }
    let regions = memory.map { memory in
      SharedRegions(
        (0..<node.count).map { memory.start + $0 * regionBytes }, in: memory, of: self, timeout: timeout,
        isOversubscribed: isOversubscribed
      ) { (_, _) throws(Failure) in }
    }
    // Nobody goes on before all have it, or none.
    let all = try gather([regions == nil ? 0 : 1], phase)
    memory?.closeFile()
    return (0..<size).allSatisfy { all[$0, 0] == 1 } ? regions : nil
  }

  private func gather(_ words: [UInt64], _ phase: Phase) throws(Failure) -> WordExchange {
    let exchange = WordExchange(communicator: self, count: words.count)
    for (place, word) in words.enumerated() { exchange.own[place] = word }
    try exchange.gather(phase: phase)
    return exchange
  }

  /// This rank's node, where all nodes have as many ranks, one after another; else nil, on every rank.
  private func uniformNode(_ phase: Phase) throws(Failure) -> Node? {
    if let uniform { return uniform }
    try barrier(phase: phase)
    let node = try findNode()
    let all = try gather([UInt64(node.first), UInt64(node.count)], phase)
    let isUniform = (0..<size).allSatisfy {
      all[$0, 0] == UInt64($0 / node.count * node.count) && all[$0, 1] == UInt64(node.count)
    }
    uniform = .some(isUniform ? node : nil)
    return isUniform ? node : nil
  }

  private func findNode() throws(Failure) -> Node {
    let watch = try CallWatch(
      timeout: timeout,
      line:
        "rank \(rank): waited \(seconds(timeout)) for the ranks of this node to find each other; see whether another "
        + "rank is stopped")
    defer { watch.cancel() }
    let world = dtrain_mpi_comm_world()
    var node: MPI_Comm?
    try check(
      MPI_Comm_split_type(world, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), dtrain_mpi_info_null(), &node),
      "MPI_Comm_split_type", rank)
    var (all, own): (MPI_Group?, MPI_Group?)
    var (count, zero, first): (Int32, Int32, Int32) = (0, 0, 0)
    try check(MPI_Comm_size(node, &count), "MPI_Comm_size", rank)
    try check(MPI_Comm_group(world, &all), "MPI_Comm_group", rank)
    try check(MPI_Comm_group(node, &own), "MPI_Comm_group", rank)
    try check(MPI_Group_translate_ranks(own, 1, &zero, all, &first), "MPI_Group_translate_ranks", rank)
    MPI_Group_free(&all)
    MPI_Group_free(&own)
    try check(MPI_Comm_free(&node), "MPI_Comm_free", rank)
    return Node(first: Int(first), count: Int(count))
  }
}
