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
    #expect(fine.verdict == .success && fine.summary == "none of 2 checks failed, 1 warning")
    #expect(
      fine.json.encoded == #"{"ok":true,"warnings":1,"failures":0,"findings":["#
        + #"{"check":"a","grade":"ok","text":"x","remedy":""},"#
        + #"{"check":"b","grade":"warning","text":"\"y\"","remedy":"z"}]}"#)
    let bad = Report([Finding("a", .failure, "x", remedy: "y"), Finding("b", .ok, "x")])
    #expect(bad.verdict == .failure && bad.summary.hasPrefix("1 of 2 checks failed: "))
  }

  /// The trial's rank on this host finds what was found before it; another host's failure is another.
  @Test func whatTheTrialFindsAgainIsNotCountedTwice() {
    let here = Finding("data", .failure, "mnist is not found", remedy: "fetch it")
    let again = Finding("data", .failure, "alpha: mnist is not found", remedy: "fetch it")
    let elsewhere = Finding("data", .failure, "beta: mnist is not found", remedy: "fetch it")
    let other = Finding("data", .failure, "alpha: a file is truncated", remedy: "fetch it")
    #expect(Finding.besides([here], [again, elsewhere, other], on: "alpha") == [elsewhere, other])
  }
}
