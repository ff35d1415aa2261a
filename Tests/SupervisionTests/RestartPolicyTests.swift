import Failures
import Testing

@testable import Supervision

@Suite struct RestartPolicyTests {
  private func policy(_ restarts: Int = 3) -> RestartPolicy {
    RestartPolicy(maximumRestarts: restarts, firstPauseMilliseconds: 1000)
  }

  private func isRestart(_ decision: RestartPolicy.Decision) -> Bool {
    if case .restart = decision { true } else { false }
  }

  @Test func startsThatBringNothingAreCountedAndComeLaterEachTime() {
    var policy = policy()
    for (count, pause) in [(1, 1000), (2, 2000), (3, 4000)] {
      #expect(
        policy.decide(code: 137, message: nil, hasProgressed: false)
          == .restart(pauseMilliseconds: pause, fruitless: count))
    }
    #expect(!isRestart(policy.decide(code: 137, message: nil, hasProgressed: false)))
  }

  @Test func aNewCheckpointBeginsTheCountAgain() {
    var policy = policy(1)
    for _ in 0..<50 {
      #expect(
        policy.decide(code: 137, message: nil, hasProgressed: true) == .restart(pauseMilliseconds: 1000, fruitless: 1))
    }
    #expect(!isRestart(policy.decide(code: 137, message: nil, hasProgressed: false)))
  }

  @Test func pausesStayBounded() {
    var policy = policy(1000)
    for _ in 0..<1000 {
      guard case .restart(let pause, _) = policy.decide(code: 1, message: nil, hasProgressed: false) else {
        Issue.record("given up")
        return
      }
      #expect(pause <= 60_000)
    }
  }

  @Test(arguments: [
    ExitCode.usage, .badData, .noInput, .unavailable, .software, .cannotCreate, .noPermission, .configuration,
  ]) func whatWouldRepeatIsNotTriedAgain(_ code: ExitCode) {
    var policy = policy()
    #expect(!isRestart(policy.decide(code: code.rawValue, message: "it is wrong", hasProgressed: true)))
  }

  @Test(arguments: [ExitCode.failure, .osError, .inputOutput]) func whatMayPassIsTriedAgain(_ code: ExitCode) {
    var policy = policy()
    #expect(isRestart(policy.decide(code: code.rawValue, message: "it is wrong", hasProgressed: false)))
  }

  @Test func theSameErrorTwiceWithoutProgressIsTheEnd() {
    var policy = policy(10)
    #expect(isRestart(policy.decide(code: 1, message: "the loss is nan at step 7", hasProgressed: true)))
    #expect(!isRestart(policy.decide(code: 1, message: "the loss is nan at step 7", hasProgressed: false)))
    // A full disk may be emptied meanwhile.
    policy = self.policy(10)
    for _ in 0..<5 { #expect(isRestart(policy.decide(code: 74, message: "no space", hasProgressed: false))) }
  }

  @Test func noRestartMayBeAllowed() {
    var policy = policy(0)
    #expect(!isRestart(policy.decide(code: 137, message: nil, hasProgressed: true)))
  }
}
