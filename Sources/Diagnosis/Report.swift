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

  /// What there is to say below all findings.
  public var summary: String {
    let (failures, warnings) = (count(.failure), count(.warning))
    let warned = warnings == 0 ? "" : ", \(warnings) warning\(warnings == 1 ? "" : "s")"
    return failures == 0
      ? "none of \(findings.count) checks failed\(warned)"
      : "\(failures) of \(findings.count) checks failed\(warned): do what stands below each of them"
  }

  /// `.failure` where a check has failed.
  public var verdict: ExitCode { count(.failure) == 0 ? .success : .failure }

  private func count(_ grade: Finding.Grade) -> Int { findings.count { $0.grade == grade } }
}
