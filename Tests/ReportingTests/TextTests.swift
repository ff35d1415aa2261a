import Failures
import Testing

@testable import Reporting

@Suite struct NumberTextTests {
  @Test func fixedDecimalsRoundHalvesAway() {
    #expect(NumberText.fixed(0.04321, decimals: 4) == "0.0432")
    #expect(NumberText.fixed(0.5, decimals: 0) == "1")
    #expect(NumberText.fixed(-0.125, decimals: 2) == "-0.13")
    #expect(NumberText.fixed(-0.001, decimals: 2) == "0.00")
    #expect(NumberText.fixed(0.99996, decimals: 4) == "1.0000")
    #expect(NumberText.fixed(1234.5, decimals: 1) == "1234.5")
    #expect(NumberText.fixed(0, decimals: 3) == "0.000")
  }

  @Test func numbersBeyondAllDecimalsAreStillWritten() {
    #expect(NumberText.fixed(1e300, decimals: 4) == "1e+300")
    #expect(NumberText.fixed(.nan, decimals: 4) == "nan")
    #expect(NumberText.fixed(-.infinity, decimals: 4) == "-inf")
  }

  @Test func lossesKeepFourDigits() {
    #expect(NumberText.loss(2.302585) == "2.3026")
    #expect(NumberText.loss(12.3456) == "12.35")
    #expect(NumberText.loss(123.456) == "123.5")
  }

  @Test func durationsReadLikeAClock() {
    #expect(NumberText.duration(0.4) == "0:00")
    #expect(NumberText.duration(42) == "0:42")
    #expect(NumberText.duration(59.6) == "1:00")
    #expect(NumberText.duration(3599) == "59:59")
    #expect(NumberText.duration(3912) == "1:05:12")
    #expect(NumberText.duration(86400 * 2 + 3 * 3600 + 5 * 60) == "2d 03:05")
    for unknown in [-1, Double.nan, .infinity] { #expect(NumberText.duration(unknown) == "?") }
  }
}

@Suite struct JSONValueTests {
  @Test func valuesAreWrittenAsRFC8259Wants() {
    let value = JSONValue.object([
      .init("a", .integer(-3)), .init("b", .number(0.1)), .init("c", .array([.null, .boolean(true), .boolean(false)])),
      .init("d", .object([])), .init("e", .array([])), .init("f", .text("x")),
    ])
    #expect(value.encoded == #"{"a":-3,"b":0.1,"c":[null,true,false],"d":{},"e":[],"f":"x"}"#)
  }

  @Test func textIsEscapedWhereItMustBe() {
    #expect(
      JSONValue.text("q\" b\\ n\n r\r t\t nul\0 unit\u{1F} é 😀").encoded
        == #""q\" b\\ n\n r\r t\t nul\u0000 unit\u001f é 😀""#)
  }

  @Test func numbersAreShortAndExact() throws {
    #expect(JSONValue.number(0.3).encoded == "0.3")
    #expect(JSONValue.number(1e-7).encoded == "1e-07")
    #expect(JSONValue.number(.leastNonzeroMagnitude).encoded == "5e-324")
    for value in [.infinity, -.infinity, Double.nan] { #expect(JSONValue.number(value).encoded == "null") }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let value = Double(bitPattern: generator.next())
      guard value.isFinite else { continue }
      #expect(Double(JSONValue.number(value).encoded)?.bitPattern == value.bitPattern)
    }
  }
}

@Suite struct FailureLineTests {
  private let failure = Failure(.noInput, "data/x: no such file", remedy: "fetch it")

  @Test func theRankIsNamedWhereThereAreSeveral() {
    #expect(FailureLine.text(failure, program: "dtrain", rank: nil) == "dtrain: data/x: no such file; fetch it")
    #expect(FailureLine.text(failure, program: "dtrain", rank: 2) == "dtrain: rank 2: data/x: no such file; fetch it")
  }

  @Test func aNameCannotBreakTheLineOrSteerTheTerminal() {
    let nasty = Failure(.noInput, "a\nb\u{1B}[2Jc\u{2028}é: no such file", remedy: "")
    #expect(FailureLine.text(nasty, program: "dtrain", rank: nil) == #"dtrain: a\nb\u{1B}[2Jc\u{2028}é: no such file"#)
  }
}

@Suite struct RunHeaderTests {
  @Test func valuesStandInOneColumn() {
    var header = RunHeader(title: "dtrain 1")
    header.add("ranks", "4")
    header.add("parameters", "123552")
    #expect(header.lines == ["dtrain 1", "  ranks       4", "  parameters  123552"])
    #expect(RunHeader(title: "alone").lines == ["alone"])
  }

  @Test func hostsAreCounted() {
    #expect(RunHeader.hosts(["a", "a", "a"]) == "a")
    #expect(RunHeader.hosts(["b", "a", "b"]) == "b (2 ranks), a (1 rank)")
  }
}

@Suite struct TerminalTests {
  private func terminal(_ columns: Int, _ environment: [String: String]) -> Terminal {
    Terminal(columns: columns, environment: { environment[$0] })
  }

  @Test func theEnvironmentTurnsColorOff() {
    #expect(terminal(80, ["TERM": "xterm"]).hasColor)
    #expect(terminal(80, ["TERM": "xterm", "NO_COLOR": ""]).hasColor)
    #expect(!terminal(80, ["TERM": "xterm", "NO_COLOR": "1"]).hasColor)
    #expect(!terminal(80, ["TERM": "dumb"]).hasColor)
    #expect(!terminal(80, [:]).hasColor)
  }

  @Test func theLocaleTellsTheCharacters() {
    #expect(terminal(80, ["TERM": "xterm", "LANG": "C.UTF-8"]).hasUnicode)
    #expect(terminal(80, ["TERM": "xterm", "LC_ALL": "", "LC_CTYPE": "en_US.utf8", "LANG": "C"]).hasUnicode)
    #expect(!terminal(80, ["TERM": "xterm", "LC_ALL": "C", "LANG": "C.UTF-8"]).hasUnicode)
    #expect(!terminal(80, ["TERM": "dumb", "LANG": "C.UTF-8"]).hasUnicode)
  }

  @Test func aTerminalWithoutASizeIsSupposedToHaveEightyColumns() {
    #expect(terminal(0, [:]).columns == 80)
    #expect(terminal(132, [:]).columns == 132)
  }
}
