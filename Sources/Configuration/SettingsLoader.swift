import Failures

/// Makes settings from a file and what the command line changes of it.
public enum SettingsLoader {
  /// The defaults, changed by the file that the file extends, by the file, and by the overrides in their order.
  ///
  /// `extends: other.yaml` in a file names another beside it, which extends none itself. `${NAME}` in a value of a file
  /// is what the environment has (`EnvironmentReference`).
  ///
  /// - Parameters:
  ///   - file: the path of a YAML file; nil for none.
  ///   - overrides: `key=value` each, the value a scalar or a list as YAML writes it: `model.filters=[8, 8]`.
  /// - Throws: `.noInput` where the file is missing, `.noPermission` where it may not be read, `.usage` where an
  ///   override has no `=`, and `.configuration` for whatever is wrong in the file, an override or the whole.
  public static func load(file: String?, overrides: [String] = []) throws(Failure) -> Settings {
    try load(file: file, overrides: overrides, environment: EnvironmentReference.ofProcess)
  }

  static func load(
    file: String?, overrides: [String] = [], environment: @escaping EnvironmentReference.Environment
  ) throws(Failure) -> Settings {
    var reading = SettingsReading()
    reading.environment = environment
    if let file { try reading.take(file: file) }
    // On the command line the shell fills in what it should.
    reading.environment = nil
    for override in overrides {
      try reading.take(override: override)
    }
    return try reading.finish()
  }

  /// The text of a file of settings, for `load(text:named:overrides:)`.
  ///
  /// - Throws: as `load(file:overrides:)` where the file cannot be read.
  public static func text(of file: String) throws(Failure) -> String {
    String(decoding: try ConfigurationFile.contents(of: file, upTo: SettingsReading.maximumSize), as: UTF8.self)
  }

  /// The defaults, changed by a text of the form of the file, changed by the overrides in their order.
  ///
  /// - Parameter name: where the text is from, for messages: "weights.safetensors, its configuration".
  /// - Throws: `.usage` where an override has no `=`, and `.configuration`.
  public static func load(text: String, named name: String, overrides: [String] = []) throws(Failure) -> Settings {
    var reading = SettingsReading()
    // Such a text goes with a run and must mean the same everywhere.
    reading.environment = { _ in nil }
    try reading.take(text: Array(text.utf8), named: name)
    for override in overrides {
      try reading.take(override: override)
    }
    return try reading.finish()
  }

  /// The defaults, changed by the settings that a file of weights carries, changed by the overrides.
  ///
  /// A file says what enters the arithmetic and no more: where to read, how long to wait or train is not its to say, so
  /// that a file from elsewhere leads to no other.
  ///
  /// - Parameter path: the file that carries the text.
  /// - Throws: `.badData` where the text sets something else; as `load(text:named:overrides:)`.
  public static func load(stored text: String, in path: String, overrides: [String] = []) throws(Failure) -> Settings {
    let name = "\(path), its configuration"
    let foreign = try load(text: text, named: name).differences(from: Settings(), in: [.job, .process])
    guard foreign.isEmpty else {
      throw Failure(
        .badData, "\(name) sets \(foreign.map(\.key).joined(separator: ", ")), which a file of weights may not",
        remedy: "take another copy of the file, from a source that you trust")
    }
    return try load(text: text, named: name, overrides: overrides)
  }
}

/// Settings while they are read, and where each value is from.
struct SettingsReading {
  /// Of a text, in bytes: a hundred times what all settings take with their documentation.
  static let maximumSize = 1 << 18

  /// Where `${NAME}` in a value comes from; nil where it is plain text.
  var environment: EnvironmentReference.Environment?
  private(set) var settings = Settings()
  /// "configs/x.yaml:7" or "command line", by key; the default where there is none.
  private(set) var places: [String: String] = [:]

  mutating func take(file: String) throws(Failure) {
    let text = try ConfigurationFile.contents(of: file, upTo: Self.maximumSize)
    try take(text: text, named: file) { (reading, base, line) throws(Failure) in
      let place = "\(file):\(line)"
      guard !base.isEmpty else {
        throw Failure(.configuration, "\(place): extends names no file", remedy: "write extends: other.yaml")
      }
      let folder = file.lastIndex(of: "/").map { file[...$0] } ?? ""
      let path = base.hasPrefix("/") ? base : folder + base
      let text: [UInt8]
      do throws(Failure) {
        text = try ConfigurationFile.contents(of: path, upTo: Self.maximumSize)
      } catch {
        throw Failure(error.code, "\(place): extends \(error.cause)", remedy: error.remedy)
      }
      try reading.take(text: text, named: path) { (_, _, line) throws(Failure) in
        throw Failure(
          .configuration, "\(path):\(line): this file is extended by \(file), but extends another itself",
          remedy: "extend one file only: write what it takes from the other into it")
      }
    }
  }

  /// - Parameter extend: takes the file that this text extends, before the rest; nil where none may be named.
  mutating func take(
    text: [UInt8], named name: String,
    extend: ((_ reading: inout SettingsReading, _ base: String, _ line: Int) throws(Failure) -> Void)? = nil
  ) throws(Failure) {
    guard text.count <= Self.maximumSize else {
      throw Failure(
        .configuration, "\(name): this is larger than \(Self.maximumSize) bytes, which no file of settings is",
        remedy: "give a file of settings such as configs/deepconvnet-mnist.yaml")
    }
    let root: YAMLNode?
    do {
      root = try YAMLParser.parse(text).root
    } catch {
      throw Failure(
        .configuration, "\(name):\(error.line):\(error.column): \(error.reason)", remedy: error.remedy)
    }
    guard let root, !root.isNull else { return }
    guard case .mapping(let entries) = root.content else {
      throw Failure(
        .configuration, "\(name):\(root.line): settings must be a map, but this is \(root.found)",
        remedy: "write lines such as `seed: 0`")
    }
    if let extend, let entry = entries.first(where: { $0.key == Self.extends }) {
      guard case .scalar(let base, _) = entry.value.content, !entry.value.isNull else {
        throw Failure(
          .configuration, "\(name):\(entry.keyLine): extends must be the path of a file, but is \(entry.value.found)",
          remedy: "write extends: other.yaml")
      }
      try extend(&self, base, entry.keyLine)
    }
    for entry in entries {
      if extend != nil && entry.key == Self.extends { continue }
      if SettingsCatalog.isSection(entry.key) {
        try take(section: entry, named: name)
      } else if entry.key.contains("."), let setting = SettingsCatalog.setting(entry.key) {
        throw Failure(
          .configuration, "\(name):\(entry.keyLine): the key \(entry.key) is written with a dot",
          remedy: "write `\(setting.name): …` indented below `\(setting.section):`")
      } else {
        try assign(entry.value, to: entry.key, keyPlace: "\(name):\(entry.keyLine)") { "\(name):\($0)" }
      }
    }
  }

  mutating func take(override: String) throws(Failure) {
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      throw Failure(
        .usage, "command line: \(Quotation.of(override)) is no setting",
        remedy: "give settings as key=value, such as training.batch=100")
    }
    let key = String(override[..<equals])
    let text = String(override[override.index(after: equals)...])
    let place = "command line"
    guard !SettingsCatalog.isSection(key) else {
      let keys = SettingsCatalog.settings(ofSection: key).map(\.key)
      throw Failure(
        .configuration, "\(place): \(key) is a section, not a setting",
        remedy: "set one of \(keys.joined(separator: ", "))")
    }
    let value: (root: YAMLNode?, documentEnd: Int)
    do {
      value = try YAMLParser.parse(Array(text.utf8))
    } catch {
      throw Failure(
        .configuration, "\(place): \(Quotation.key(key)) is \(Quotation.of(text)): \(error.reason)",
        remedy: "quote a text as in \(Quotation.key(key))='\"text\"'")
    }
    let blanks = text.unicodeScalars.reversed().prefix { $0.properties.isWhitespace }.count
    guard value.documentEnd + blanks >= text.unicodeScalars.count else {
      throw Failure(
        .configuration, "\(place): \(Quotation.key(key)) is \(Quotation.of(text)), of which # makes a part a comment",
        remedy: "quote a text as in \(Quotation.key(key))='\"text\"'")
    }
    let nothing = YAMLNode(content: .scalar("", isPlain: true), line: 1)
    try assign(value.root ?? nothing, to: key, keyPlace: place) { _ in place }
  }

  /// The key that names the file whose settings a file changes.
  static let extends = "extends"

  private mutating func take(section: YAMLNode.Entry, named name: String) throws(Failure) {
    if section.value.isNull { return }
    guard case .mapping(let entries) = section.value.content else {
      let names = SettingsCatalog.settings(ofSection: section.key).map(\.name)
      throw Failure(
        .configuration,
        "\(name):\(section.keyLine): \(section.key) is a section of settings, but its value is \(section.value.found)",
        remedy: "below it, indented, may stand \(names.joined(separator: ", "))")
    }
    for entry in entries {
      try assign(entry.value, to: "\(section.key).\(entry.key)", keyPlace: "\(name):\(entry.keyLine)") {
        "\(name):\($0)"
      }
    }
  }

  private mutating func assign(
    _ node: YAMLNode, to key: String, keyPlace: String, place: (_ line: Int) -> String
  ) throws(Failure) {
    guard let setting = SettingsCatalog.setting(key) else {
      throw Failure(
        .configuration, "\(keyPlace): unknown key \(Quotation.key(key))", remedy: SettingsCatalog.suggestion(for: key))
    }
    do throws(ValueMismatch) {
      var node = node
      if let environment { node = try EnvironmentReference.resolve(node, environment) }
      try setting.assign(node, &settings)
    } catch {
      throw Failure(.configuration, "\(place(error.line)): \(key) \(error.reason)", remedy: error.remedy)
    }
    places[key] = keyPlace
  }
}
