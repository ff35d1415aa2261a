import Failures

/// The rows of the table, by the kind of their value: how a node of the file becomes a value, and back.
extension Setting {
  /// More convolutions than a network of this kind can use.
  private static let maximumListLength = 64

  static func integer<Value: FixedWidthInteger & Sendable>(
    _ key: String, _ path: WritableKeyPath<Settings, Value> & Sendable, in range: ClosedRange<Int>, _ scope: Scope,
    _ documentation: String
  ) -> Setting {
    Setting(
      key: key, kind: .integer(range), scope: scope, documentation: documentation,
      text: { "\($0[keyPath: path])" },
      assign: { (node, settings) throws(ValueMismatch) in
        settings[keyPath: path] = Value(try integer(node, in: range, what: "an integer"))
      })
  }

  static func integers(
    _ key: String, _ path: WritableKeyPath<Settings, [Int]> & Sendable, in range: ClosedRange<Int>, _ scope: Scope,
    _ documentation: String
  ) -> Setting {
    Setting(
      key: key, kind: .integers(range), scope: scope, documentation: documentation,
      text: { YAMLText.list($0[keyPath: path]) },
      assign: { (node, settings) throws(ValueMismatch) in
        let form = "write it as [\(range.lowerBound), \(range.lowerBound)], with integers \(text(of: range))"
        guard case .sequence(let elements) = node.content else {
          throw ValueMismatch(
            reason: "must be a list of integers, but is \(node.found)", remedy: form, line: node.line)
        }
        guard !elements.isEmpty else {
          throw ValueMismatch(reason: "is an empty list", remedy: form, line: node.line)
        }
        guard elements.count <= maximumListLength else {
          throw ValueMismatch(
            reason: "has \(elements.count) elements", remedy: "give \(maximumListLength) at most", line: node.line)
        }
        var values: [Int] = []
        for element in elements {
          values.append(try integer(element, in: range, what: "a list of integers", position: values.count))
        }
        settings[keyPath: path] = values
      })
  }

  static func number(
    _ key: String, _ path: WritableKeyPath<Settings, Double> & Sendable, _ bounds: Bounds, _ scope: Scope,
    _ documentation: String
  ) -> Setting {
    Setting(
      key: key, kind: .number(bounds), scope: scope, documentation: documentation,
      text: { YAMLText.number($0[keyPath: path]) },
      assign: { (node, settings) throws(ValueMismatch) in
        guard let value = node.number else {
          throw ValueMismatch(
            reason: "must be a number, but is \(node.found)", remedy: "give a number, \(bounds)", line: node.line)
        }
        guard bounds.contains(value) else {
          throw ValueMismatch(
            reason: "is \(Quotation.shortened(node.text)), outside its range", remedy: "give a number, \(bounds)",
            line: node.line)
        }
        settings[keyPath: path] = value + 0  // -0 becomes 0, so that equal settings have equal texts
      })
  }

  static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: WritableKeyPath<Settings, Value> & Sendable, _ scope: Scope, _ documentation: String
  ) -> Setting {
    let choices = Value.allCases.map(\.rawValue)
    return Setting(
      key: key, kind: .choice(choices), scope: scope, documentation: documentation,
      text: { YAMLText.text($0[keyPath: path].rawValue) },
      assign: { (node, settings) throws(ValueMismatch) in
        let remedy = choices.count == 1 ? "the only choice is \(choices[0])" : "choose one of: \(list(choices))"
        guard case .scalar(let text, _) = node.content, !node.isNull else {
          throw ValueMismatch(reason: "must be a name, but is \(node.found)", remedy: remedy, line: node.line)
        }
        guard let value = Value(rawValue: text) else {
          let nearest = Spelling.nearest(to: text, in: choices)
          throw ValueMismatch(
            reason: "is \(Quotation.of(text)), which is none of its choices",
            remedy: nearest.map { "did you mean \($0)?" } ?? remedy, line: node.line)
        }
        settings[keyPath: path] = value
      })
  }

  static func boolean(
    _ key: String, _ path: WritableKeyPath<Settings, Bool> & Sendable, _ scope: Scope, _ documentation: String
  ) -> Setting {
    Setting(
      key: key, kind: .boolean, scope: scope, documentation: documentation,
      text: { "\($0[keyPath: path])" },
      assign: { (node, settings) throws(ValueMismatch) in
        guard node.isBoolean else {
          throw ValueMismatch(
            reason: "must be true or false, but is \(node.found)", remedy: "write true or false", line: node.line)
        }
        settings[keyPath: path] = node.text.lowercased() == "true"
      })
  }

  static func path(
    _ key: String, _ path: WritableKeyPath<Settings, String?> & Sendable, _ scope: Scope, _ documentation: String
  ) -> Setting {
    Setting(
      key: key, kind: .path, scope: scope, documentation: documentation,
      text: { $0[keyPath: path].map { YAMLText.text(EnvironmentReference.escaped($0)) } ?? "null" },
      assign: { (node, settings) throws(ValueMismatch) in
        guard case .scalar(let text, _) = node.content, !node.isBoolean else {
          throw ValueMismatch(
            reason: "must be a path or null, but is \(node.found)", remedy: "write the path in quotes", line: node.line)
        }
        // A zero byte would end the path early where C reads it; other control characters garble messages.
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
          throw ValueMismatch(
            reason: "is a path with a control character: \(Quotation.of(text))", remedy: "take it out",
            line: node.line)
        }
        settings[keyPath: path] = node.isNull || text.isEmpty ? nil : text
      })
  }

  static func text(of range: ClosedRange<Int>) -> String { "from \(range.lowerBound) to \(range.upperBound)" }

  private static func list(_ choices: [String]) -> String { choices.joined(separator: ", ") }

  private static func integer(
    _ node: YAMLNode, in range: ClosedRange<Int>, what: String, position: Int? = nil
  ) throws(ValueMismatch) -> Int {
    let element = position.map { "; its element \($0 + 1)" } ?? ""
    let remedy = "give \(position == nil ? "an integer" : "integers") \(text(of: range))"
    guard node.isInteger else {
      throw ValueMismatch(
        reason: position == nil
          ? "must be \(what), but is \(node.found)" : "must be \(what)\(element) is \(node.found)",
        remedy: remedy, line: node.line)
    }
    guard let value = Int(node.text), range.contains(value) else {
      throw ValueMismatch(
        reason: position == nil
          ? "is \(Quotation.shortened(node.text)), outside its range"
          : "is out of range\(element) is \(Quotation.shortened(node.text))",
        remedy: remedy, line: node.line)
    }
    return value
  }
}
