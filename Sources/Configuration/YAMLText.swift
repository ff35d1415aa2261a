/// Values as text that YAML reads back as the same values.
enum YAMLText {
  /// The shortest decimal that gives the same number. It has a point wherever it has an exponent, since YAML 1.1 takes
  /// `1e-07` for a text.
  static func number(_ value: Double) -> String {
    let text = "\(value)"
    if text.hasSuffix(".0") { return String(text.dropLast(2)) }
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  static func list(_ values: [Int]) -> String {
    "[" + values.map(String.init).joined(separator: ", ") + "]"
  }

  /// Without quotes where nobody could take the text for anything else.
  static func text(_ text: String) -> String { isSafePlain(text) ? text : quoted(text) }

  static func quoted(_ text: String) -> String { "\"" + Quotation.escaped(text) + "\"" }

  private static func isSafePlain(_ text: String) -> Bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    guard let first = text.utf8.first, !words.contains(text.lowercased()) else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    func isSafe(_ byte: UInt8) -> Bool {
      isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || "/._-".utf8.contains(byte)
    }
    return (isLetter(first) || first == UInt8(ascii: "/")) && text.utf8.allSatisfy(isSafe)
  }
}
