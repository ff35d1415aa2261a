import Failures

/// The one line in which a job says why it ends.
public enum FailureLine {
  /// `dtrain: rank 2: CAUSE; REMEDY`, the rank only where there are several; characters that would break the line or
  /// steer the terminal (a file may have such a name) are escaped.
  public static func text(_ failure: Failure, program: String, rank: Int?) -> String {
    let line = "\(program): \(rank.map { "rank \($0): " } ?? "")\(failure.description)"
    var result = ""
    for scalar in line.unicodeScalars {
      if scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}" {
        result += scalar.escaped(asASCII: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
