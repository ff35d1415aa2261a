import Failures

/// Makes settings from a file and what the command line changes of it.
public enum SettingsLoader {
  /// The defaults, changed by the file, changed by the overrides in their order.
  ///
  /// - Parameters:
  ///   - file: the path of a YAML file; nil for none.
  ///   - overrides: `key=value` each, the value a scalar or a list as YAML writes it: `model.filters=[8, 8]`.
  /// - Throws: `.noInput` where the file is missing, `.noPermission` where it may not be read, `.usage` where an
  ///   override has no `=`, and `.configuration` for whatever is wrong in the file, an override or the whole.
  public static func load(file: String?, overrides: [String] = []) throws(Failure) -> Settings {
    var reading = SettingsReading()
    if let file {
      try reading.take(text: ConfigurationFile.contents(of: file, upTo: SettingsReading.maximumSize), named: file)
    }
    for override in overrides {
      try reading.take(override: override)
    }
    return try reading.finish()
  }

  /// The defaults, changed by a text of the form of the file, changed by the overrides in their order.
  ///
  /// - Parameter name: where the text is from, for messages: "weights.safetensors, its configuration".
  /// - Throws: `.usage` where an override has no `=`, and `.configuration`.
  public static func load(text: String, named name: String, overrides: [String] = []) throws(Failure) -> Settings {
    var reading = SettingsReading()
    try reading.take(text: Array(text.utf8), named: name)
    for override in overrides {
      try reading.take(override: override)
    }
    return try reading.finish()
  }
}

/// Settings while they are read, and where each value is from.
struct SettingsReading {
  /// Of a text, in bytes: a hundred times what all settings take with their documentation.
  static let maximumSize = 1 << 18

  private var settings = Settings()
  /// "configs/x.yaml:7" or "command line", by key; the default where there is none.
  private var places: [String: String] = [:]

  mutating func take(text: [UInt8], named name: String) throws(Failure) {
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
    for entry in entries {
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

  func finish() throws(Failure) -> Settings {
    try checkListLengths()
    let (batch, microbatch) = (settings.training.batch, settings.training.microbatch)
    guard microbatch <= batch else {
      throw contradiction(
        ("training.microbatch", "training.microbatch \(microbatch)"), "is larger than",
        ("training.batch", "training.batch \(batch)"),
        remedy: "a batch is cut into microbatches: set training.microbatch to \(batch) or less")
    }
    let patience = settings.training.earlyStoppingPatience
    guard patience == 0 || settings.dataset.validationSamples > 0 else {
      throw contradiction(
        ("training.early_stopping_patience", "training.early_stopping_patience \(patience)"),
        "has nothing to watch with",
        ("dataset.validation_samples", "dataset.validation_samples 0"),
        remedy: "hold back a part of the training samples, such as dataset.validation_samples=5000")
    }
    return settings
  }

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
    do {
      try setting.assign(node, &settings)
    } catch {
      throw Failure(.configuration, "\(place(error.line)): \(key) \(error.reason)", remedy: error.remedy)
    }
    places[key] = keyPlace
  }

  /// Each list has one element a convolution.
  private func checkListLengths() throws(Failure) {
    let model = settings.model
    let filters = ("model.filters", model.filters.count)
    let others = [
      ("model.filter_sizes", model.filterSizes.count), ("model.paddings", model.paddings.count),
      ("model.strides", model.strides.count),
    ]
    for other in others where other.1 != filters.1 {
      throw contradiction(
        (other.0, "\(other.0) of length \(other.1)"), "does not fit",
        (filters.0, "\(filters.0) of length \(filters.1)"),
        remedy: "give model.filters, filter_sizes, paddings and strides one element for each convolution")
    }
  }

  /// Two settings that cannot both be. The message begins with the place of the first of them that was set, and says of
  /// the other where it is from.
  private func contradiction(
    _ first: (key: String, text: String), _ verb: String, _ second: (key: String, text: String), remedy: String
  ) -> Failure {
    let place = places[first.key] ?? places[second.key]
    func said(_ setting: (key: String, text: String)) -> String {
      places[setting.key] == place ? setting.text : "\(setting.text) (\(places[setting.key] ?? "default"))"
    }
    let cause = "\(said(first)) \(verb) \(said(second))"
    return Failure(.configuration, place.map { "\($0): \(cause)" } ?? cause, remedy: remedy)
  }
}
