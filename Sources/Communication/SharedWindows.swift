import CMPI
import Failures

/// MPI's windows of memory that the ranks of one node share.
final class SharedWindows {
  /// Who shares memory with this rank.
  struct Node: Equatable {
    /// The lowest of its ranks.
    var first: Int
    var count: Int

    /// As it travels.
    var bytes: [UInt8] {
      [first, count].flatMap { number in withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) } }
    }
  }

  private static let alignment = 64
  private let rank: Int
  /// The ranks of this node, in their order.
  private var node: MPI_Comm?
  private var windows: [MPI_Win?] = []

  init(rank: Int) { self.rank = rank }

  /// Every rank of the job has to call it.
  func findNode() throws(Failure) -> Node {
    let world = dtrain_mpi_comm_world()
    if node == nil {
      try check(
        MPI_Comm_split_type(world, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), dtrain_mpi_info_null(), &node),
        "MPI_Comm_split_type", rank)
      try check(MPI_Comm_set_errhandler(node, dtrain_mpi_errors_return()), "MPI_Comm_set_errhandler", rank)
    }
    var (all, own): (MPI_Group?, MPI_Group?)
    var (count, zero, first): (Int32, Int32, Int32) = (0, 0, 0)
    try check(MPI_Comm_size(node, &count), "MPI_Comm_size", rank)
    try check(MPI_Comm_group(world, &all), "MPI_Comm_group", rank)
    try check(MPI_Comm_group(node, &own), "MPI_Comm_group", rank)
    try check(MPI_Group_translate_ranks(own, 1, &zero, all, &first), "MPI_Group_translate_ranks", rank)
    MPI_Group_free(&all)
    MPI_Group_free(&own)
    return Node(first: Int(first), count: Int(count))
  }

  /// Every rank of the node has to call it.
  ///
  /// - Returns: a region for each, aligned to 64 bytes; nil where there is no memory to share.
  func make(byteCount: Int, count: Int) throws(Failure) -> [UnsafeMutableRawPointer]? {
    var own: UnsafeMutableRawPointer?
    var window: MPI_Win?
    guard
      MPI_Win_allocate_shared(MPI_Aint(byteCount + Self.alignment), 1, dtrain_mpi_info_null(), node, &own, &window)
        == MPI_SUCCESS
    else { return nil }
    windows.append(window)
    var regions: [UnsafeMutableRawPointer] = []
    for peer in 0..<count {
      var (length, unit): (MPI_Aint, Int32) = (0, 0)
      var start: UnsafeMutableRawPointer?
      try check(MPI_Win_shared_query(window, Int32(peer), &length, &unit, &start), "MPI_Win_shared_query", rank)
      guard let start, Int(length) >= byteCount + Self.alignment else { return nil }
      // Pages lie alike in every process, so this is the same place in all.
      regions.append(start.alignedUp(toMultipleOf: Self.alignment))
    }
    return regions
  }

  /// Gives the memory back. Every rank of the node has to call it.
  func free() {
    for index in windows.indices { MPI_Win_free(&windows[index]) }
    windows = []
    if node != nil { MPI_Comm_free(&node) }
  }
}
