/// A value of a YAML file and where it stands.
struct YAMLNode {
  enum Content {
    /// `isPlain`: without quotes, so that it may be a number, a boolean or null.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  struct Entry {
    let key: String
    let keyLine: Int
    let value: YAMLNode
  }

  let content: Content
  /// Counted from 1.
  let line: Int

  /// A scalar's text; "" for a list and a map.
  var text: String {
    if case .scalar(let text, _) = content { text } else { "" }
  }

  /// What the value is, for the second half of "must be …, but is …".
  var found: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a map"
    case .scalar(let text, _):
      if isNull {
        "null (nothing)"
      } else if isBoolean {
        "the boolean \(text)"
      } else if isInteger {
        "the integer \(Quotation.shortened(text))"
      } else if number != nil {
        "the number \(Quotation.shortened(text))"
      } else {
        "the text \(Quotation.of(text))"
      }
    }
  }
}

/// What a plain scalar is, after the core schema of YAML 1.2 without its octal and hexadecimal integers. Integers with
/// leading zeros are left out too: YAML 1.1 reads them as octal.
extension YAMLNode {
  var isNull: Bool {
    guard let plain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(plain)
  }

  var isBoolean: Bool {
    guard let plain else { return false }
    return ["true", "True", "TRUE", "false", "False", "FALSE"].contains(plain)
  }

  var isInteger: Bool {
    guard var digits = plain?.utf8[...] else { return false }
    if digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    guard let first = digits.first, digits.allSatisfy(Self.isDigit) else { return false }
    return first != UInt8(ascii: "0") || digits.count == 1
  }

  /// The value where this is a number, an integer included, and finite.
  var number: Double? {
    guard let plain, isInteger || isFraction, let value = Double(plain), value.isFinite else { return nil }
    return value
  }

  /// `[-+]? (digits | digits . digits? | . digits) ([eE] [-+]? digits)?`, but no plain digits: those are integers.
  private var isFraction: Bool {
    guard var rest = plain?.utf8[...] else { return false }
    func takeSign() {
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    }
    func takeDigits() -> Int {
      let digits = rest.prefix(while: Self.isDigit)
      rest.removeFirst(digits.count)
      return digits.count
    }
    takeSign()
    var digits = takeDigits()
    let hasPoint = rest.first == UInt8(ascii: ".")
    if hasPoint {
      rest.removeFirst()
      digits += takeDigits()
    }
    guard digits > 0 else { return false }
    guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") else { return hasPoint && rest.isEmpty }
    rest.removeFirst()
    takeSign()
    return takeDigits() > 0 && rest.isEmpty
  }

  private var plain: String? {
    if case .scalar(let text, isPlain: true) = content { text } else { nil }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
