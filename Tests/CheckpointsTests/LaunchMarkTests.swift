import Failures
import Testing

@testable import Checkpoints

/// A launch's next job takes the lock that its last one left, on whatever host that was; nobody else does.
@Suite struct LaunchMarkTests {
  private func owner(_ mark: LaunchMark?) -> RunLock.Owner {
    RunLock.Owner(host: "elsewhere", process: 4711, processStart: 1, since: 1, launch: mark)
  }

  @Test func theLockOfAnEarlierStartIsTakenOver() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    _ = try RunLock.acquire(path, for: owner(LaunchMark(launch: "head-1-2", start: 1)))
    for other in [nil, LaunchMark(launch: "head-1-2", start: 1), LaunchMark(launch: "head-1-3", start: 2)] {
      #expect(throws: Failure.self) { try RunLock.acquire(path, for: owner(other)) }
    }
    _ = try RunLock.acquire(path, for: owner(LaunchMark(launch: "head-1-2", start: 2)))
  }

  @Test func theMarkIsReadAsItIsWritten() {
    let mark = LaunchMark(launch: LaunchMark.newLaunch(), start: 12)
    #expect(LaunchMark("\(mark)") == mark)
    #expect(RunLock.Owner(text: Array(owner(mark).text.utf8)) == owner(mark))
    for text in ["", "x", "x:", "x:y"] { #expect(LaunchMark(text) == nil) }
  }
}
