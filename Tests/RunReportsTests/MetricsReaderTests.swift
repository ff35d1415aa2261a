import Failures
import Foundation
import Reporting
import Testing

@testable import RunReports

@Suite struct MetricsReaderTests {
  private func read(_ text: String) throws -> MetricsReader {
    let path = FileManager.default.temporaryDirectory.appending(path: "dtrain-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try MetricsReader.read(path)
  }

  private let step =
    #"{"kind":"step","step":1,"epoch":1,"loss":2.5,"accuracy":0.1,"learning_rate":0.001,"images_per_second":10,"seconds":0.5}"#
  private let test =
    #"{"kind":"test","step":1,"epoch":1,"dataset":"mnist","test_loss":null,"test_accuracy":0.9,"test_errors":1,"test_samples":10,"seconds":1}"#
  private let ranks =
    #"{"kind":"ranks","step":1,"epoch":1,"steps":1,"steps_per_epoch":4,"ranks":"2 MPI ranks","threads":1,"hosts":["a","b"],"step_seconds":[1,2],"computation_seconds":[0.5,1],"exchange_seconds":[0.25,0.5],"seconds":1}"#

  @Test func recordsOfEveryKind() throws {
    let later = #"{"kind":"weather","step":1,"epoch":1,"sun":{"deep":[1,"x",true,null,-2.5e3]}}"#
    let metrics = try read([step, ranks, test, later].joined(separator: "\n") + "\n")
    #expect(metrics.steps.count == 1 && metrics.steps[0].loss == 2.5 && metrics.steps[0].learningRate == 0.001)
    #expect(metrics.tests.count == 1 && metrics.tests[0].accuracy == 0.9 && metrics.tests[0].loss.isNaN)
    #expect(
      metrics.ranks.count == 1 && metrics.ranks[0].hosts == ["a", "b"]
        && metrics.ranks[0].exchangeSeconds == [0.25, 0.5])
    #expect(metrics.remark == nil)
  }

  @Test func samplesHeldBackAreNoTest() throws {
    let metrics = try read(test.replacing("test", with: "validation") + "\n")
    #expect(metrics.tests.isEmpty && metrics.validations.count == 1)
    #expect(metrics.validations.first?.errors == 1 && metrics.validations.first?.samples == 10)
  }

  @Test func aTornLastLineIsLeftOut() throws {
    let metrics = try read(step + "\n" + test.dropLast(20))
    #expect(metrics.steps.count == 1 && metrics.tests.isEmpty && metrics.remark != nil)
  }

  @Test(arguments: [
    "{", "", "[1]", "nonsense", #"{"kind":"step"}"#, #"{"kind":"step","step":-1,"epoch":1}"#,
    #"{"kind":"step","step":1,"step":1,"epoch":1}"#, #"{"kind":"step","step":1,"epoch":1,"loss":"much"}"#,
    #"{"kind":"step","step":1,"epoch":1,"loss":0x10}"#, #"{"kind":"step","step":1,"epoch":1,"loss":1} x"#,
    #"{"kind":"test","step":1,"epoch":1,"test_errors":11,"test_samples":10}"#,
    #"{"kind":"test","step":1,"epoch":1,"test_errors":0,"test_samples":0}"#,
    #"{"kind":"ranks","step":1,"epoch":1,"steps":1,"steps_per_epoch":1,"threads":1,"hosts":["a"],"step_seconds":[],"computation_seconds":[1],"exchange_seconds":[1]}"#,
  ])
  func aLineThatIsNoRecordIsNamed(_ line: String) throws {
    let failure = #expect(throws: Failure.self) { try read(step + "\n" + line + "\n" + test + "\n") }
    #expect(failure?.code == .badData)
    #expect(failure?.cause.contains("line 2") == true, "\(failure?.cause ?? "")")
  }

  @Test func stepsRise() {
    #expect(throws: Failure.self) { try read(step + "\n" + step + "\n") }
  }
}

@Suite struct Base64Tests {
  @Test func base64AsTheStandardHasIt() {
    for (text, expected) in [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ] { #expect(Base64.text(Array(text.utf8)) == expected) }
    let bytes = (0..<1000).map { _ in UInt8.random(in: 0...255) }
    #expect(Base64.text(bytes) == Data(bytes).base64EncodedString())
  }

  @Test func namesAsAShellTakesThem() {
    #expect(ShellText.quoted("runs/a-1.x") == "runs/a-1.x")
    #expect(ShellText.quoted("my run's") == #"'my run'\''s'"#)
    #expect(ShellText.quoted("") == "''")
  }
}
