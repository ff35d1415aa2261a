import Failures

/// What one subcommand takes: all that is needed to read its arguments and to write its help.
public struct CommandSyntax: Sendable {
  public let name: String
  /// A line for the list of subcommands, without a capital and a full stop.
  public let summary: String
  /// What a person has to know besides the options.
  public let discussion: String
  public let options: [any OptionDeclaration]
  public let operands: [Operand]
  /// What `key=value` arguments do, where they are taken.
  public let overrides: String?
  public let examples: [Example]
  public let exitCodes: [ExitCode]

  public init(
    name: String, summary: String, discussion: String = "", options: [any OptionDeclaration] = [],
    operands: [Operand] = [], overrides: String? = nil, examples: [Example] = [], exitCodes: [ExitCode]
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    self.options = options
    self.operands = operands
    self.overrides = overrides
    self.examples = examples
    self.exitCodes = exitCodes
  }
}

/// An argument that is known by its place.
public struct Operand: Sendable {
  /// How often it stands there.
  public enum Count: Sendable {
    case one
    case oneOrNone
    case any
    case atLeastOne
  }

  public let placeholder: String
  public let count: Count
  public let help: String

  public init(_ placeholder: String, _ count: Count = .one, help: String) {
    self.placeholder = placeholder
    self.count = count
    self.help = help
  }

  /// The placeholder as a line of usage has it.
  var usage: String {
    switch count {
    case .one: placeholder
    case .oneOrNone: "[\(placeholder)]"
    case .any: "[\(placeholder) …]"
    case .atLeastOne: "\(placeholder) …"
    }
  }
}

/// A command that a person can copy, and what it does.
public struct Example: Sendable {
  public let command: String
  public let explanation: String

  public init(_ command: String, _ explanation: String) {
    self.command = command
    self.explanation = explanation
  }
}
