import Failures
import Testing

@testable import Launching

@Suite struct ChildProcessTests {
  @Test func aChildIsHeardAndEndedInTime() throws {
    let spoken = try ChildProcess.answer(
      of: ["/bin/sh", "-c", "echo $WORD; echo e >&2; exit 3"], environment: ["WORD": "w"], seconds: 20)
    #expect(spoken.end == .exited(3) && spoken.output == "w\ne\n")
    let late = try ChildProcess.answer(
      of: ["/bin/sh", "-c", "echo begun; exec sleep 600"], environment: ["PATH": "/bin:/usr/bin"], seconds: 0.3)
    #expect(late.end == nil && late.output == "begun\n")
    let killed = try ChildProcess.answer(of: ["/bin/sh", "-c", "kill -9 $$"], environment: [:], seconds: 20)
    #expect(killed.end == .signalled(9))
    #expect(throws: Failure.self) { try ChildProcess.answer(of: ["/nowhere/x"], environment: [:], seconds: 1) }
  }
}
