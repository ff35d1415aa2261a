import Failures

/// Something that begins with a dash on the command line, as help shows it and the reader takes it.
public protocol OptionDeclaration: Sendable {
  /// Without its dashes: "config".
  var name: String { get }
  /// A one-letter form, where there is one.
  var letter: Character? { get }
  /// What stands for the value in help, as in `--config FILE`; nil for an option that takes none.
  var placeholder: String? { get }
  var help: String { get }
  /// Whether the command is of no use without it.
  var isRequired: Bool { get }
  /// The value that a text means, or nil when it means none.
  func value(of text: String) -> (any Sendable)?
  /// What a text has to be, to follow "is not" in an error: "a whole number of at least 1".
  var expectation: String { get }
}

extension OptionDeclaration {
  /// How the option is written.
  public var spelling: String { "--\(name)" }
  public var isRequired: Bool { false }
}

/// An option with a value, which `ParsedArguments` gives back under the same declaration.
public struct Option<Value: Sendable>: OptionDeclaration {
  public let name: String
  public let letter: Character?
  public let placeholder: String?
  public let help: String
  public let expectation: String
  public let isRequired: Bool
  private let read: @Sendable (String) -> Value?

  /// - Parameters:
  ///   - read: the value that a text means, nil when it means none.
  public init(
    _ name: String, letter: Character? = nil, placeholder: String, expectation: String, help: String,
    isRequired: Bool = false, read: @escaping @Sendable (String) -> Value?
  ) {
    self.name = name
    self.letter = letter
    self.placeholder = placeholder
    self.expectation = expectation
    self.help = help
    self.isRequired = isRequired
    self.read = read
  }

  public func value(of text: String) -> (any Sendable)? { read(text) }
}

extension Option where Value == String {
  /// A text that is not empty: the name of a file, a folder.
  public init(_ name: String, letter: Character? = nil, placeholder: String, help: String, isRequired: Bool = false) {
    self.init(
      name, letter: letter, placeholder: placeholder, expectation: "a name: it is empty", help: help,
      isRequired: isRequired, read: { $0.isEmpty ? nil : $0 })
  }
}

extension Option where Value == Int {
  /// A whole number in a range, in decimal digits.
  public init(
    _ name: String, letter: Character? = nil, placeholder: String = "N", in range: ClosedRange<Int>, help: String
  ) {
    let bounds =
      range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    self.init(
      name, letter: letter, placeholder: placeholder, expectation: "a whole number \(bounds)", help: help,
      read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } })
  }
}

extension Option where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of a few words.
  public init(choice name: String, letter: Character? = nil, help: String) {
    let words = Value.allCases.map(\.rawValue)
    self.init(
      name, letter: letter, placeholder: words.joined(separator: "|"),
      expectation: words.count < 2
        ? words.joined() : "\(words.dropLast().joined(separator: ", ")) or \(words[words.count - 1])",
      help: help, read: { Value(rawValue: $0) })
  }
}

/// An option without a value.
public struct Flag: OptionDeclaration {
  public let name: String
  public let letter: Character?
  public let help: String
  public var placeholder: String? { nil }
  public var expectation: String { "expected: \(spelling) takes no value" }

  public init(_ name: String, letter: Character? = nil, help: String) {
    self.name = name
    self.letter = letter
    self.help = help
  }

  public func value(of text: String) -> (any Sendable)? { nil }
}
