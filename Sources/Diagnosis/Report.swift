import Failures
import Reporting

/// All findings, for a person or a program.
public struct Report: Sendable {
  public let findings: [Finding]

  public init(_ findings: [Finding]) { self.findings = findings }

  public var lines: [String] { findings.flatMap(\.lines) }

  /// One object: `ok`, and `findings`, each with `check`, `grade`, `text` and `remedy`.
  public var json: JSONValue {
    .object([
      .init("ok", .boolean(count(.failure) == 0)),
      .init("warnings", .integer(count(.warning))),
      .init("failures", .integer(count(.failure))),
      .init(
        "findings",
        .array(
          findings.map { finding in
            .object([
              .init("check", .text(finding.check)), .init("grade", .text(finding.grade.rawValue)),
              .init("text", .text(finding.text)), .init("remedy", .text(finding.remedy)),
            ])
          })),
    ])
  }

  /// - Throws: `.failure` where a check has failed.
  public func verdict() throws(Failure) {
    let failures = count(.failure)
    guard failures > 0 else { return }
    throw Failure(
      .failure, "\(failures) of \(findings.count) checks failed", remedy: "do what stands below each of them")
  }

  /// How many of each grade, in words: "9 ok, 1 warning, 2 failures".
  public var summary: String {
    Finding.Grade.allCases.compactMap { grade in
      let number = count(grade)
      guard number > 0 else { return nil }
      let isCounted = grade == .warning || grade == .failure
      return "\(number) \(grade.rawValue)\(isCounted && number > 1 ? "s" : "")"
    }.joined(separator: ", ")
  }

  private func count(_ grade: Finding.Grade) -> Int { findings.count { $0.grade == grade } }
}
