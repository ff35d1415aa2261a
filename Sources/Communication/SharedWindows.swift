import CMPI
import Failures

/// MPI's windows of memory that the ranks of one node share.
final class SharedWindows {
  /// The ranks of this node, once it was asked for.
  private var node: MPI_Comm?
  private var windows: [MPI_Win?] = []

  private static let alignment = 64

  /// - Returns: a region for each rank, aligned to 64 bytes; nil where they are not on one node, or here is no memory to share.
  func make(byteCount: Int, rank: Int, size: Int) throws(Failure) -> [UnsafeMutableRawPointer]? {
    let node = try ranksOfNode(rank: rank)
    var count: Int32 = 0
    try check(MPI_Comm_size(node, &count), "MPI_Comm_size", rank)
    guard Int(count) == size else { return nil }
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
      try check(MPI_Win_shared_query(window, peer, &length, &unit, &start), "MPI_Win_shared_query", rank)
      guard let start, Int(length) >= byteCount + Self.alignment else { return nil }
      // Pages lie alike in every process, so this is the same place in all.
      regions.append(start.alignedUp(toMultipleOf: Self.alignment))
    }
    return regions
  }

  private func ranksOfNode(rank: Int) throws(Failure) -> MPI_Comm? {
    if let node { return node }
    try check(
      MPI_Comm_split_type(
        dtrain_mpi_comm_world(), Int32(MPI_COMM_TYPE_SHARED), Int32(rank), dtrain_mpi_info_null(), &node),
      "MPI_Comm_split_type", rank)
    try check(MPI_Comm_set_errhandler(node, dtrain_mpi_errors_return()), "MPI_Comm_set_errhandler", rank)
    return node
  }

  /// Gives the memory back. Every rank of the node has to call it.
  func free() {
    for index in windows.indices { MPI_Win_free(&windows[index]) }
    windows = []
    if node != nil { MPI_Comm_free(&node) }
  }
}
