/// Commands as a shell takes them, to be pasted.
public enum ShellText {
  /// A word, in quotes where the shell would make something else of it.
  public static func quoted(_ word: String) -> String {
    let plain = word.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic && $0.isASCII || ("0"..."9").contains($0) || "/._-+,:@%=".unicodeScalars.contains($0)
    }
    return plain && !word.isEmpty
      ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// The words of a command, each quoted where it has to be.
  public static func command(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }
}
