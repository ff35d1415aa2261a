import Failures

extension Spelling {
  /// The known key nearest to a key: the same or a similar name in the same, a similar, or any section.
  static func nearestKey(to key: String, in settings: [Setting]) -> String? {
    let (section, name) = split(key)
    var best: (key: String, distance: Int)?
    for setting in settings {
      let nameDistance = distance(name, setting.name)
      let sectionDistance = distance(section, setting.section)
      let isSectionNear = sectionDistance <= (section.isEmpty ? 0 : tolerance(setting.section))
      guard nameDistance <= tolerance(setting.name) else { continue }
      // A name that is right in another section is likelier than two words misspelt.
      let total = nameDistance + (isSectionNear ? sectionDistance : 3)
      if total < best?.distance ?? .max { best = (setting.key, total) }
    }
    return best?.key
  }

  private static func split(_ key: String) -> (section: String, name: String) {
    guard let dot = key.firstIndex(of: ".") else { return ("", key) }
    return (String(key[..<dot]), String(key[key.index(after: dot)...]))
  }
}
