import Failures
import Testing

@testable import Diagnosis

@Suite struct FindingTests {
  @Test func whatIsWrittenIsReadAgain() {
    let findings = [
      Finding("launcher", .ok, "/usr/bin/mpirun, Open MPI 4.1.4"),
      Finding("run directory", .failure, "no space: 3 kB  free", remedy: "free some; or choose → another"),
      Finding("session folder", .warning, "", remedy: "set TMPDIR"),
      Finding("clocks", .skipped, "one host"),
    ]
    let text = (["noise", "  → of others"] + findings.flatMap(\.lines) + ["ok", "okay then"]).joined(separator: "\n")
    #expect(Finding.read(text) == findings)
  }

  @Test func aLineStaysALine() {
    #expect(Finding("data", .ok, "one\ntwo\n", remedy: "three\r\nfour").lines.count == 2)
  }

  @Test func aReportCountsAndJudges() throws {
    let fine = Report([Finding("a", .ok, "x"), Finding("b", .warning, "\"y\"", remedy: "z")])
    try fine.verdict()
    #expect(
      fine.json.encoded == #"{"ok":true,"warnings":1,"failures":0,"findings":["#
        + #"{"check":"a","grade":"ok","text":"x","remedy":""},"#
        + #"{"check":"b","grade":"warning","text":"\"y\"","remedy":"z"}]}"#)
    let bad = Report([Finding("a", .failure, "x", remedy: "y"), Finding("b", .ok, "x")])
    #expect(throws: Failure.self) { try bad.verdict() }
  }
}
