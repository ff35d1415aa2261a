import Testing

@testable import dtrain

@Suite struct StartingCommandTests {
  @Test(
    arguments: [
      (["mpirun", "-n", "4", "dtrain"], [], ["mpirun", "-n", "4", "dtrain"]),
      (
        ["/usr/bin/mpirun", "-n", "2", "--hostfile", "my hosts", "swift", "run", "dtrain", "train", "seed=1"],
        ["train", "seed=1"], ["/usr/bin/mpirun", "-n", "2", "--hostfile", "my hosts", "swift", "run", "dtrain"]
      ),
      // A shell, a launcher of something else, and one of several programs say nothing of how this one was started.
      (["bash", "-c", "dtrain seed=1"], ["seed=1"], nil), (["mpirun", "-n", "4", "script.sh"], ["seed=1"], nil),
      (["mpirun", "-n", "1", "a", ":", "-n", "1", "dtrain", "seed=1"], ["seed=1"], nil), ([], [], nil),
      (["mpirun"], [], nil),
    ] as [([String], [String], [String]?)])
  func whatStandsBeforeTheRanksArguments(_ launcher: [String], _ arguments: [String], _ expected: [String]?) {
    #expect(StartingCommand.words(before: arguments, in: launcher) == expected)
  }
}
