import CMPI
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One of the ranks that a launcher has started, over MPI.
///
/// MPI is called from the thread that made the communicator alone (`MPI_THREAD_FUNNELED`), and never in a way that
/// could wait without end: every wait is a request that is looked at again and again until a deadline, so that the
/// rank that does not come can be named.
public final class MPICommunicator: Communicator {
  public let rank: Int
  public let size: Int
  public private(set) var hosts: [String] = []
  public var summary: String { size == 1 ? "1 MPI rank" : "\(size) MPI ranks" }

  let timeout: Duration
  private let thread = pthread_self()
  private let requests = MPIRequests()
  public private(set) var binding: String?
  private(set) var isOversubscribed = true
  /// This rank's node, once it was asked for; in it nil where nodes have not as many ranks each.
  var uniform: Node??
  /// Why the last exchange failed. There can be no other after it.
  private var failure: Failure?

  /// How many times longer ranks wait for each other at the start: they may be started one after another.
  private static let startFactor = 5
  /// How long `MPI_Abort` may take to tell the launcher, which may be out of reach.
  private static let abortPatience = Duration.seconds(10)

  /// Joins the job: `MPI_Init`, then where every rank runs. To be called once in a process. Sets `OMPI_MCA_btl_tcp_flags` in
  /// its environment, unless it is set.
  ///
  /// - Parameters:
  ///   - launcher: what started the process, to be compared with what the MPI library finds.
  ///   - timeout: how long a rank waits for another; five times that in `MPI_Init`, whose end a thread watches.
  public init(launcher: Launcher?, timeout: Duration = .seconds(60)) throws(Failure) {
    self.timeout = timeout
    if let launcher, launcher.lacksPMI {
      throw Failure(
        .unavailable,
        "\(launcher.name) has started \(launcher.size ?? 1) processes without PMI: none of them finds the others",
        remedy: "add --mpi=pmix (`srun --mpi=list` names what there is), or start mpirun within the allocation")
    }
    try Self.initialize(rank: launcher?.rank, timeout: timeout * Self.startFactor)
    let world = dtrain_mpi_comm_world()
    try check(MPI_Comm_set_errhandler(world, dtrain_mpi_errors_return()), "MPI_Comm_set_errhandler")
    var number: Int32 = 0
    try check(MPI_Comm_rank(world, &number), "MPI_Comm_rank")
    rank = Int(number)
    try check(MPI_Comm_size(world, &number), "MPI_Comm_size")
    size = Int(number)

    // A launcher that does not say how many there are still numbers them.
    if let launcher, let launched = launcher.size ?? launcher.rank.map({ max($0 + 1, size) }), launched != size {
      throw Failure(
        .unavailable,
        "\(launcher.name) has started \(launched) processes\(launcher.size == nil ? " or more" : ""), but this "
          + "program's MPI library (\(MPILibrary.name)) sees \(size): they do not belong together",
        remedy: "start it with the mpirun of that library (see `which -a mpirun`), or rebuild it against the other one")
    }
    let places = try allGather(RankPlace.current().bytes, phase: Phase("start of the job")).map(RankPlace.init(bytes:))
    hosts = places.map(\.host)
    isOversubscribed = RankPlace.isOversubscribed(places, rank: rank)
    binding = RankPlace.binding(places)
  }

  private static func initialize(rank: Int?, timeout: Duration) throws(Failure) {
    MPILibrary.chooseTransfers()
    // The lowest of those that wait says it, and mpirun ends the others before they do.
    let watch = try CallWatch(
      timeout: timeout + .seconds(2 * min(rank ?? 0, 3)),
      line: "rank \(rank.map { "\($0)" } ?? "?"): waited \(seconds(timeout)) for the other ranks to start; see whether "
        + "all of them run; if they only start slowly, raise communication.timeout_seconds")
    var provided: Int32 = 0
    try check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided), "MPI_Init_thread")
    watch.cancel()
    guard provided >= Int32(MPI_THREAD_FUNNELED) else {
      throw Failure(
        .unavailable, "this MPI library (\(MPILibrary.name)) allows no threads beside the one that calls it",
        remedy: "use a library that was built with thread support (MPI_THREAD_FUNNELED)")
    }
  }

  public func exchange(
    sends: UnsafeBufferPointer<Transfer>, receives: UnsafeBufferPointer<Transfer>, phase: Phase, relay: Relay?
  ) throws(Failure) {
    if let failure { throw failure }
    do throws(Failure) {
      guard pthread_equal(thread, pthread_self()) != 0 else {
        throw Failure(
          .software, "rank \(rank) called MPI from a second thread in \(phase)",
          remedy: "report this: it is a defect of the program")
      }
      for transfers in [sends, receives] {
        for transfer in transfers where !transfer.isValid(rank: rank, size: size) {
          throw .invalidTransfer(transfer, rank: rank, size: size, phase: phase)
        }
      }
      // Receives first: what arrives then goes straight to its place.
      for transfer in receives { try requests.post(transfer, .receive, rank: rank, phase: phase) }
      for transfer in sends { try requests.post(transfer, .send, rank: rank, phase: phase) }
      try complete(phase, relay)
    } catch {
      failure = error
      throw error
    }
  }

  private func complete(_ phase: Phase, _ relay: Relay?) throws(Failure) {
    let timeout = relay?.timeout(timeout) ?? timeout
    var wait = PolledWait(timeout: timeout, isOversubscribed: isOversubscribed)
    while !(try requests.haveCompleted(rank: rank, phase: phase)) {
      if !wait.pause() {
        let peers = try requests.pendingPeers(rank: rank, phase: phase)
        if peers.isEmpty { break }
        throw .waitedTooLong(
          for: peers, size: size, hosts: hosts, phase: phase, timeout: timeout, relay: relay)
      }
    }
  }

  public func abort(_ code: ExitCode) -> Never {
    fflush(nil)
    var isInitialized: Int32 = 0
    var isFinalized: Int32 = 0
    MPI_Initialized(&isInitialized)
    MPI_Finalized(&isFinalized)
    if isInitialized != 0 && isFinalized == 0 {
      // Not cancelled: the process ends by the one or the other.
      _ = try? CallWatch(timeout: Self.abortPatience, line: nil, code: code)
      MPI_Abort(dtrain_mpi_comm_world(), code.rawValue)
    }
    _exit(code.rawValue)
  }

  /// Leaves the job when all ranks have come here.
  ///
  /// `MPI_Finalize` of one rank while others still wait in an exchange would leave them hanging, so the ranks meet
  /// under the deadline first. It waits for the other ranks itself, where no deadline of ours reaches: a thread that
  /// watches it ends the process when it takes too long.
  public func finish() throws(Failure) {
    try barrier(phase: Phase("leaving the job"))
    let watch = try CallWatch(
      timeout: timeout,
      line: "rank \(rank): waited \(seconds(timeout)) for MPI_Finalize, when all work was done; see whether another "
        + "rank is stopped")
    try check(MPI_Finalize(), "MPI_Finalize")
    watch.cancel()
  }
}
