import Configuration
import Reporting

/// The table of settings as a JSON Schema (draft 7), from which an editor completes and checks a file of settings.
enum SettingsSchema {
  static var value: JSONValue {
    var properties: [JSONValue.Member] = [
      .init(
        "extends",
        .object([
          .init("description", .text("A file beside this one, whose settings this one changes.")),
          .init("type", .text("string")),
        ]))
    ]
    var sections: Set<String> = []
    for setting in SettingsCatalog.settings {
      guard let dot = setting.key.firstIndex(of: ".") else {
        properties.append(.init(setting.key, schema(of: setting)))
        continue
      }
      let name = String(setting.key[..<dot])
      if sections.insert(name).inserted { properties.append(.init(name, schema(ofSection: name))) }
    }
    return .object([
      .init("$schema", .text("http://json-schema.org/draft-07/schema#")),
      .init("title", .text("Settings of \(Program.name) \(Program.version)")),
      .init("type", .text("object")),
      .init("additionalProperties", .boolean(false)),
      .init("properties", .object(properties)),
    ])
  }

  private static func schema(ofSection name: String) -> JSONValue {
    let settings = SettingsCatalog.settings.filter { $0.key.hasPrefix(name + ".") }
    let documentation = SettingsCatalog.sections.first { $0.name == name }?.documentation ?? ""
    return .object([
      .init("description", .text(documentation)),
      .init("type", .array([.text("object"), .text("null")])),
      .init("additionalProperties", .boolean(false)),
      .init(
        "properties",
        .object(settings.map { .init(String($0.key.dropFirst(name.count + 1)), schema(of: $0)) })),
    ])
  }

  private static func schema(of setting: Setting) -> JSONValue {
    .object([
      .init("description", .text("\(setting.documentation) Default: \(setting.defaultText).")),
      .init(
        "anyOf",
        .array([
          .object(constraints(of: setting.kind)),
          .object([.init("type", .text("string")), .init("pattern", .text(#"\$\{.+\}"#))]),
        ])),
    ])
  }

  private static func constraints(of kind: Setting.Kind) -> [JSONValue.Member] {
    switch kind {
    case .integer(let range): integer(range)
    case .integers(let range):
      [.init("type", .text("array")), .init("minItems", .integer(1)), .init("items", .object(integer(range)))]
    case .number(let bounds):
      [
        .init("type", .text("number")),
        .init(bounds.includesLower ? "minimum" : "exclusiveMinimum", .number(bounds.lower)),
        .init(bounds.includesUpper ? "maximum" : "exclusiveMaximum", .number(bounds.upper)),
      ]
    case .choice(let choices): [.init("enum", .array(choices.map { .text($0) }))]
    case .boolean: [.init("type", .text("boolean"))]
    case .path: [.init("type", .array([.text("string"), .text("null")]))]
    }
  }

  private static func integer(_ range: ClosedRange<Int>) -> [JSONValue.Member] {
    [
      .init("type", .text("integer")), .init("minimum", .integer(range.lowerBound)),
      .init("maximum", .integer(range.upperBound)),
    ]
  }
}
