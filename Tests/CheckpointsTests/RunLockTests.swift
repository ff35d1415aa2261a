import Failures
import Foundation
import Testing

@testable import Checkpoints

@Suite struct RunLockTests {
  private let folder: TemporaryFolder
  private var directory: RunDirectory { RunDirectory(path: folder.path) }

  init() throws { folder = try TemporaryFolder() }

  @Test func aSecondJobIsRefusedWithHostAndProcessOfTheFirst() throws {
    let lock = try RunLock.acquire(directory)
    #expect(try folder.names == ["lock"])
    let failure = #expect(throws: Failure.self) { try RunLock.acquire(directory) }
    #expect(failure?.code == .cannotCreate)
    #expect(failure?.cause.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName)") == true)
    lock.release()
    #expect(try folder.names == [])
    try RunLock.acquire(directory).release()
    #expect(try folder.names == [])
  }

  @Test func aLockOfAProcessThatIsGoneIsTakenOver() throws {
    var gone = RunLock.Owner.current
    // The number of this process, given to an earlier one.
    gone.processStart += 1
    _ = try RunLock.acquire(directory.lock, for: gone)
    let lock = try RunLock.acquire(directory)
    // The first finds another's lock and leaves it.
    #expect(throws: Failure.self) { try RunLock.acquire(directory) }
    lock.release()
    #expect(try folder.names == [])
  }

  @Test func aLaunchThatWasKilledIsNamedToTheNext() throws {
    var killed = RunLock.Owner.current
    killed.processStart += 1
    killed.launch = LaunchMark(launch: "killed", start: 0)
    _ = try RunLock.acquire(directory.launchLock, for: killed)
    let (lock, abandoned) = try RunLock.acquireLaunch(directory, launch: "next")
    #expect(abandoned == "killed")
    #expect(throws: Failure.self) { try RunLock.acquireLaunch(directory, launch: "third") }
    lock.release()
    #expect(try RunLock.acquireLaunch(directory, launch: "fourth").abandoned == nil)
  }

  @Test func aLockOfAnotherHostIsNotTakenOver() throws {
    var other = RunLock.Owner.current
    other.host = "elsewhere"
    other.processStart += 1
    let held = try RunLock.acquire(directory.lock, for: other)
    let failure = #expect(throws: Failure.self) { try RunLock.acquire(directory) }
    #expect(failure?.cause.contains("process \(other.process) on elsewhere") == true)
    #expect(failure?.remedy.contains("remove \(directory.lock)") == true)
    held.release()
    try RunLock.acquire(directory).release()
  }

  @Test(arguments: ["", "host x\n", "host x\nprocess -1\nstarted 1\nsince 1\n", "\u{0}"])
  func aLockThatNamesNobodyIsRefusedWithARemedy(_ text: String) throws {
    _ = try folder.file("lock", Array(text.utf8))
    let failure = #expect(throws: Failure.self) { try RunLock.acquire(directory) }
    #expect(failure?.remedy.contains("remove the lock") == true)
  }

  @Test func releasingTwiceOrLateHarmsNobody() throws {
    let first = try RunLock.acquire(directory)
    first.release()
    var other = RunLock.Owner.current
    other.since += 1
    let second = try RunLock.acquire(directory.lock, for: other)
    first.release()
    #expect(try folder.names == ["lock"])
    second.release()
  }
}
