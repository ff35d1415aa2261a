import Failures

/// What a person asked of the program.
public enum Request: Sendable {
  /// To read this text.
  case text(String)
  /// To run a subcommand.
  case command(name: String, ParsedArguments)
}

/// A program with subcommands, one of which is meant where none is named.
public struct ProgramSyntax: Sendable {
  public let name: String
  public let version: String
  public let summary: String
  public let commands: [CommandSyntax]
  /// The subcommand that is meant when there is none.
  public let defaultCommand: String
  public let examples: [Example]

  public init(
    name: String, version: String, summary: String, commands: [CommandSyntax], defaultCommand: String,
    examples: [Example]
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.commands = commands
    self.defaultCommand = defaultCommand
    self.examples = examples
  }

  /// Whether an argument has the form `key=value`, where a key is a word with dots: a file's name with an equals sign
  /// after a slash has not.
  static func isOverride(_ argument: String) -> Bool {
    guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else { return false }
    return argument[..<sign].allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" || $0 == "-" }
  }

  /// What the arguments (without the program's own name) ask for.
  ///
  /// No argument, or a first one that is an option or `key=value`, means the default subcommand.
  ///
  /// - Throws: a failure with `ExitCode.usage` that names what is wrong and the nearest known name.
  public func interpret(_ arguments: [String]) throws(Failure) -> Request {
    guard let first = arguments.first else { return try command(defaultCommand, []) }
    switch first {
    case "--help", "-h": return .text(HelpText.of(self))
    case "--version": return .text("\(name) \(version)\n")
    case "help": return try help(arguments.dropFirst())
    case let word where word.hasPrefix("-") || Self.isOverride(word): return try command(defaultCommand, arguments[...])
    default: return try command(first, arguments.dropFirst())
    }
  }

  private func help(_ topics: ArraySlice<String>) throws(Failure) -> Request {
    guard let topic = topics.first, topic != "help", !topic.hasPrefix("-") else { return .text(HelpText.of(self)) }
    guard topics.count == 1 else {
      throw Failure(
        .usage, "unexpected argument '\(topics[topics.startIndex + 1])'",
        remedy: "'\(name) help' explains one subcommand"
      )
    }
    return .text(HelpText.of(try syntax(of: topic), program: name))
  }

  private func command(_ word: String, _ arguments: ArraySlice<String>) throws(Failure) -> Request {
    let syntax = try syntax(of: word)
    if arguments.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      return .text(HelpText.of(syntax, program: name))
    }
    return .command(name: word, try ParsedArguments(arguments, of: syntax, program: name))
  }

  private func syntax(of word: String) throws(Failure) -> CommandSyntax {
    if let syntax = commands.first(where: { $0.name == word }) { return syntax }
    let nearest = Spelling.nearest(to: word, in: commands.map(\.name) + ["help"])
    throw Failure(
      .usage, "unknown subcommand '\(word)'",
      remedy: nearest.map { "did you mean \($0)?" } ?? "see '\(name) --help'")
  }
}
