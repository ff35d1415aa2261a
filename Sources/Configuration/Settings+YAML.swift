extension Settings {
  /// The file that gives these settings: every key of the scopes, in the table's order.
  ///
  /// - Parameters:
  ///   - scopes: which settings; loading a text of all gives equal settings.
  ///   - isDocumented: whether each key has what the table says of it above it, as a comment.
  public func yaml(
    of scopes: [Setting.Scope] = [.arithmetic, .job, .process], documented isDocumented: Bool = false
  ) -> String {
    var text = ""
    var section = ""
    for setting in SettingsCatalog.settings where scopes.contains(setting.scope) {
      if setting.section != section {
        section = setting.section
        text += "\(section):\n"
      }
      let indentation = section.isEmpty ? "" : "  "
      if isDocumented { text += "\(indentation)# \(setting.documentation)\n" }
      text += "\(indentation)\(setting.name): \(setting.text(self))\n"
    }
    return text
  }
}
