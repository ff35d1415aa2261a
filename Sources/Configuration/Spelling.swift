/// Finds what was probably meant.
enum Spelling {
  /// The candidate nearest to the word, the first of equals; nil where none is near.
  static func nearest(to word: String, in candidates: [String]) -> String? {
    candidates
      .map { (candidate: $0, distance: distance(word, $0)) }
      .filter { $0.distance <= tolerance($0.candidate) }
      .min { $0.distance < $1.distance }?.candidate
  }

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

  /// The least number of characters to insert, delete, replace or swap with a neighbour (optimal string alignment).
  ///
  /// Words longer than 64 characters are far from everything.
  static func distance(_ first: String, _ second: String) -> Int {
    let first = Array(first.unicodeScalars.prefix(65))
    let second = Array(second.unicodeScalars.prefix(65))
    guard first.count <= 64, second.count <= 64 else { return .max / 2 }
    var beforePrevious: [Int] = []
    var previous = Array(0...second.count)
    for i in first.indices {
      var current = [i + 1]
      for j in second.indices {
        var least = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (first[i] == second[j] ? 0 : 1))
        if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
          least = min(least, beforePrevious[j - 1] + 1)
        }
        current.append(least)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[second.count]
  }

  private static func tolerance(_ word: String) -> Int { max(1, word.count / 3) }

  private static func split(_ key: String) -> (section: String, name: String) {
    guard let dot = key.firstIndex(of: ".") else { return ("", key) }
    return (String(key[..<dot]), String(key[key.index(after: dot)...]))
  }
}
