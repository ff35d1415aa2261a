import Configuration
import Failures
import Testing

@Suite struct SettingsCatalogTests {
  /// The keys that the stored properties of `Settings` should have.
  private static let keysOfTheStructure: [String] = {
    func snakeCase(_ label: String) -> String {
      var result = ""
      for character in label { result += character.isUppercase ? "_" + character.lowercased() : String(character) }
      return result
    }
    return Mirror(reflecting: Settings()).children.flatMap { section in
      let name = snakeCase(section.label ?? "")
      let settings = Mirror(reflecting: section.value)
      guard settings.displayStyle == .struct, !(section.value is UInt64) else { return [name] }
      return settings.children.map { name + "." + snakeCase($0.label ?? "") }
    }
  }()

  @Test func everySettingHasItsRow() {
    #expect(SettingsCatalog.settings.map(\.key) == Self.keysOfTheStructure)
  }

  @Test func everySectionHasItsLine() {
    let sections = SettingsCatalog.settings.compactMap { $0.key.firstIndex(of: ".").map($0.key.prefix(upTo:)) }
    #expect(Set(sections.map(String.init)) == Set(SettingsCatalog.sections.map(\.name)))
  }

  @Test func rowsAreDocumentedInOneLine() {
    for setting in SettingsCatalog.settings {
      #expect(setting.documentation.hasSuffix("."), "\(setting.key)")
      #expect(!setting.documentation.contains("\n") && setting.documentation.count < 110, "\(setting.key)")
    }
  }

  @Test(arguments: SettingsCatalog.settings.map(\.key))
  func everyDefaultLiesInItsRange(key: String) throws {
    let setting = try #require(SettingsCatalog.setting(key))
    #expect(try SettingsLoader.load(file: nil, overrides: ["\(key)=\(setting.defaultText)"]) == Settings())
  }

  @Test func aKeyIsExplained() throws {
    #expect(
      try SettingsCatalog.explanation(of: "optimizer.learning_rate") == """
        optimizer.learning_rate
          Step size, at its largest where a schedule changes it; for a batch of reference_batch where it is scaled.
          value    number, above 0 and at most 100
          default  0.001
          scope    the arithmetic: another value gives other bits
        """)
    #expect(try SettingsCatalog.explanation(of: "training.threads").contains("integer from 0 to 1024"))
    #expect(try SettingsCatalog.explanation(of: "model.dropout").contains("book | inverted"))
  }

  @Test func aSectionIsExplainedWithItsKeys() throws {
    let text = try SettingsCatalog.explanation(of: "training")
    for key in ["epochs", "batch", "microbatch", "threads"] { #expect(text.contains("\ntraining.\(key)\n")) }
    #expect(!text.contains("evaluation"))
    let all = try SettingsCatalog.explanation()
    for setting in SettingsCatalog.settings { #expect(all.contains(setting.documentation)) }
  }

  @Test func anUnknownKeyIsNotExplained() {
    let failure = #expect(throws: Failure.self) { try SettingsCatalog.explanation(of: "training.epoch") }
    #expect(failure?.code == .usage)
    #expect(failure?.description == "unknown key training.epoch; did you mean training.epochs?")
  }
}
