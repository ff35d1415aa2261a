import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `${NAME}` in a value of a file: what the environment has under that name; `${NAME:-text}`: or else that text.
/// `$${` stands for `${` itself.
enum EnvironmentReference {
  typealias Environment = @Sendable (_ name: String) -> String?

  /// The environment of this process.
  static let ofProcess: Environment = { name in getenv(name).map { String(cString: $0) } }

  /// The node with every reference in its scalars, and in those of a list, replaced.
  static func resolve(_ node: YAMLNode, _ environment: Environment) throws(ValueMismatch) -> YAMLNode {
    switch node.content {
    case .mapping: return node
    case .scalar(let text, let isPlain):
      guard text.contains("${") else { return node }
      let resolved = try resolve(text, line: node.line, environment)
      return YAMLNode(content: .scalar(resolved, isPlain: isPlain), line: node.line)
    case .sequence(let elements):
      var resolved: [YAMLNode] = []
      for element in elements { resolved.append(try resolve(element, environment)) }
      return YAMLNode(content: .sequence(resolved), line: node.line)
    }
  }

  /// A text that resolves to this one.
  static func escaped(_ text: String) -> String { text.replacing("${", with: "$${") }

  private static func resolve(
    _ text: String, line: Int, _ environment: Environment
  ) throws(ValueMismatch) -> String {
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$${") {
        result += "${"
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("${") {
        guard let end = rest.firstIndex(of: "}") else {
          throw ValueMismatch(
            reason: "has a ${ without a }: \(Quotation.of(text))", remedy: "write ${NAME}, or $${ for ${ itself",
            line: line)
        }
        result += try value(of: rest[..<end].dropFirst(2), line: line, environment)
        rest = rest[rest.index(after: end)...]
      } else {
        result += "$"
        rest = rest.dropFirst()
      }
    }
    return result + rest
  }

  private static func value(
    of reference: Substring, line: Int, _ environment: Environment
  ) throws(ValueMismatch) -> String {
    let separator = reference.firstRange(of: ":-")
    let name = separator.map { reference[..<$0.lowerBound] } ?? reference
    guard isName(name) else {
      throw ValueMismatch(
        reason: "names \(Quotation.of(String(name))), which cannot be a variable of the environment",
        remedy: "write ${NAME}, or $${ for ${ itself", line: line)
    }
    // As in a shell, an empty variable counts as none where there is a text instead.
    let value = environment(String(name))
    if let separator { return value.flatMap { $0.isEmpty ? nil : $0 } ?? String(reference[separator.upperBound...]) }
    guard let value else {
      throw ValueMismatch(
        reason: "needs \(name) of the environment, which is not set",
        remedy: "set it (mpirun hands it on with -x \(name)), or write ${\(name):-value}", line: line)
    }
    return value
  }

  private static func isName(_ name: Substring) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xdf)
    }
  }
}
