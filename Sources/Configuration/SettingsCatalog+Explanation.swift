import Failures

extension SettingsCatalog {
  /// What a person wants to know of a key: meaning, values, default, on what it bears. Several lines.
  ///
  /// - Parameter key: of a setting, or the name of a section, whose settings are then all explained; nil for all.
  /// - Throws: `.usage` where there is neither.
  public static func explanation(of key: String? = nil) throws(Failure) -> String {
    guard let key else { return settings.map(explanation).joined(separator: "\n\n") }
    if let setting = setting(key) { return explanation(of: setting) }
    if let section = sections.first(where: { $0.name == key }) {
      let all = [section.name + "\n  " + section.documentation] + settings(ofSection: key).map(explanation)
      return all.joined(separator: "\n\n")
    }
    throw Failure(.usage, "unknown key \(Quotation.key(key))", remedy: suggestion(for: key))
  }

  /// All settings as a table in Markdown, in the table's order.
  public static var markdownTable: String {
    let rows = settings.map { setting in
      let cells = [
        "`\(setting.key)`", setting.documentation, "\(setting.kind)", "`\(setting.defaultText)`", setting.scope.word,
      ]
      return "| " + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ") + " |"
    }
    return (["| setting | meaning | value | default | scope |", "| --- | --- | --- | --- | --- |"] + rows)
      .joined(separator: "\n")
  }

  /// What to write instead of a key that is not known: the nearest, or else what there is.
  static func suggestion(for key: String) -> String {
    if let name = Spelling.nearest(to: key, in: sections.map(\.name)) { return "did you mean \(name)?" }
    if let nearest = Spelling.nearestKey(to: key, in: settings) { return "did you mean \(nearest)?" }
    let section = key.firstIndex(of: ".").map { String(key[..<$0]) } ?? ""
    if isSection(section) {
      return "the keys of \(section) are \(settings(ofSection: section).map(\.name).joined(separator: ", "))"
    }
    let names = settings(ofSection: "").map(\.key) + sections.map(\.name)
    return "the keys and sections are \(names.joined(separator: ", "))"
  }

  private static func explanation(of setting: Setting) -> String {
    """
    \(setting.key)
      \(setting.documentation)
      value    \(setting.kind)
      default  \(setting.defaultText)
      scope    \(setting.scope)
    """
  }
}

extension Setting.Kind: CustomStringConvertible {
  public var description: String {
    switch self {
    case .integer(let range): "integer \(Setting.text(of: range))"
    case .integers(let range): "list of integers \(Setting.text(of: range)), one for each convolution"
    case .number(let bounds): "number, \(bounds)"
    case .choice(let choices): choices.joined(separator: " | ")
    case .boolean: "true | false"
    case .path: "path, from the current folder, or null"
    }
  }
}

extension Setting.Scope: CustomStringConvertible {
  /// "arithmetic", "job" or "process".
  public var word: String {
    switch self {
    case .arithmetic: "arithmetic"
    case .job: "job"
    case .process: "process"
    }
  }

  public var description: String {
    switch self {
    case .arithmetic: "the arithmetic: another value gives other bits"
    case .job: "the job: the same on every rank"
    case .process: "the process: may differ from rank to rank"
    }
  }
}
