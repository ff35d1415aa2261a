/// What one check has found.
public struct Finding: Equatable, Sendable {
  public enum Grade: String, CaseIterable, Sendable {
    case ok
    /// It runs, though not as it should.
    case warning
    /// A run would fail.
    case failure
    /// What the check needs is not there.
    case skipped
  }

  /// What was looked at, in one or two words: "run directory".
  public let check: String
  public let grade: Grade
  /// On one line.
  public let text: String
  /// What to do about it, on one line; empty where nothing is to be done.
  public let remedy: String

  public init(_ check: String, _ grade: Grade, _ text: String, remedy: String = "") {
    self.check = check
    self.grade = grade
    self.text = Self.oneLine(text)
    self.remedy = Self.oneLine(remedy)
  }

  /// What a person reads: a line, and one more for what to do.
  public var lines: [String] {
    let start = Self.column(grade.rawValue, 7) + Self.gap + Self.column(check, Self.checkWidth) + Self.gap
    guard !remedy.isEmpty else { return [start + text] }
    return [start + text, String(repeating: " ", count: start.count) + Self.arrow + remedy]
  }

  /// This host's: what `Diagnosis.within` finds on a host has the host's name before it.
  func isOf(_ finding: Finding, on host: String) -> Bool {
    check == finding.check && grade == finding.grade && text == "\(host): \(finding.text)"
  }

  /// The further findings without those that have been made on this host already.
  static func besides(_ findings: [Finding], _ further: [Finding], on host: String) -> [Finding] {
    further.filter { finding in !findings.contains { finding.isOf($0, on: host) } }
  }

  /// Finds the findings in what `lines` has written, among other lines.
  public static func read(_ output: String) -> [Finding] {
    var findings: [Finding] = []
    for line in output.split(separator: "\n") {
      if line.hasPrefix(" "), let last = findings.last, last.remedy.isEmpty {
        let rest = line.drop { $0 == " " }
        if rest.hasPrefix(arrow) {
          findings[findings.count - 1] = Finding(
            last.check, last.grade, last.text, remedy: String(rest.dropFirst(arrow.count)))
        }
        continue
      }
      guard let grade = Grade.allCases.first(where: { line.hasPrefix($0.rawValue + " ") }) else { continue }
      let rest = line.dropFirst(7 + gap.count)
      let check = rest.prefix(checkWidth)
      guard check.count == checkWidth, rest.dropFirst(checkWidth).hasPrefix(gap) else { continue }
      let name = check.split(separator: " ").joined(separator: " ")
      findings.append(Finding(name, grade, String(rest.dropFirst(checkWidth + gap.count))))
    }
    return findings
  }

  /// As wide as the longest name of a check.
  static let checkWidth = 16
  private static let gap = "  "
  private static let arrow = "→ "

  private static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
