import Testing

@testable import Supervision

/// What Open MPI 4.1 and the program write, word for word.
@Suite struct JobAccountTests {
  private func account(_ text: String) -> JobAccount {
    var account = JobAccount(program: "dtrain")
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { account.read(String(line)) }
    return account
  }

  @Test func aRankThatASignalEnded() {
    let account = account(
      """
      --------------------------------------------------------------------------
      mpirun noticed that process rank 2 with PID 0 on node h2 exited on signal 9 (Killed).
      --------------------------------------------------------------------------
      """)
    #expect(account.sentence == "rank 2 on h2 was ended by signal 9 (Killed)")
  }

  @Test func thatAllRanksHaveStarted() {
    #expect(!account("dtrain: a warning\n").hasStarted)
    let started = account("dtrain: launch: all ranks have started\n")
    #expect(started.hasStarted)
    #expect(started.sentence == nil)
  }

  @Test func aRankThatTellsItsFailure() {
    let account = account(
      """
      dtrain: run/checkpoints: there is no checkpoint; the run begins afresh
      dtrain: rank 12: waited 3 s for rank 2 in gradient exchange, step 91; see whether rank 2 on h2 is still running
      dtrain: rank 1: waited 3 s for rank 2 in gradient exchange, step 91; see whether rank 2 on h2 is still running
      MPI_ABORT was invoked on rank 12 in communicator MPI_COMM_WORLD
      with errorcode 1.
      """)
    #expect(account.ownFailure?.rank == 12)
    #expect(account.ownFailure?.message.hasPrefix("waited 3 s for rank 2") == true)
    #expect(account.sentence == "rank 12 failed")
  }

  @Test func aRankThatLeft() {
    #expect(
      account(
        """
        mpirun has exited due to process rank 1 with PID 0 on
        node h1 exiting improperly. There are three reasons this could occur:
        """
      ).sentence == "rank 1 left without a word")
    #expect(
      account(
        """
        mpirun detected that one or more processes exited with non-zero status, thus causing
        the job to be terminated. The first process to do so was:

          Process name: [[2068,1],1]
          Exit code:    3
        """
      ).sentence == "rank 1 left with code 3")
  }

  @Test func aHostThatIsLost() {
    let account = account(
      """
      ORTE has lost communication with a remote daemon.

        HNP daemon   : [[11269,0],0] on node head
        Remote daemon: [[11269,0],2] on node h2
      """)
    #expect(account.lostHosts == ["h2"])
    #expect(account.sentence == "host h2 is gone")
  }

  @Test func slotsThatAreMissing() {
    #expect(account("There are not enough slots available in the system to satisfy the 8").lacksSlots)
  }

  @Test func ordinaryOutputIsNoEnd() {
    let lines = [
      "dtrain: stopped as asked after step 9 of 180", "dtrain: launch: rank 1 failed", "mpirun: Forwarding signal 10",
    ]
    #expect(!account(lines.joined(separator: "\n")).isOver)
  }
}
