/// Finds what was probably meant by a word that nobody knows.
public enum Spelling {
  /// The candidate nearest to the word, the first of equals; nil where none is near.
  public static func nearest(to word: String, in candidates: [String]) -> String? {
    candidates
      .map { (candidate: $0, distance: distance(word, $0)) }
      .filter { $0.distance <= tolerance($0.candidate) }
      .min { $0.distance < $1.distance }?.candidate
  }

  /// The least number of characters to insert, delete, replace or swap with a neighbour (optimal string alignment).
  ///
  /// Words longer than 64 characters are far from everything.
  public static func distance(_ first: String, _ second: String) -> Int {
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

  /// How far a word may be from a known one and still mean it: a third of its characters.
  public static func tolerance(_ word: String) -> Int { max(1, word.count / 3) }
}
