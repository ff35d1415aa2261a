/// Text of unknown origin as it may stand in a message: on one line, printable and short.
enum Quotation {
  /// In double quotes, escaped, at most 60 characters of it.
  static func of(_ text: String) -> String { "\"" + escaped(shortened(text)) + "\"" }

  /// A key as it is, unless it holds what a key never does.
  static func key(_ key: String) -> String {
    let isOrdinary = key.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f && $0 != "\"" }
    return isOrdinary && !key.isEmpty ? shortened(key) : of(key)
  }

  static func shortened(_ text: String) -> String {
    text.unicodeScalars.count <= 60 ? text : String(text.unicodeScalars.prefix(57)) + "..."
  }

  /// With the escapes of YAML's double-quoted style for quotes, backslashes and whatever does not print.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default:
        if isPrintable(scalar) {
          result.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16)
          result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
      }
    }
    return result
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
