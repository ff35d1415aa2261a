import Failures

/// The text of `--help`, at most 80 columns wide where words allow.
enum HelpText {
  private static let width = 80

  static func of(_ program: ProgramSyntax) -> String {
    var text = "\(program.name) \(program.version): \(program.summary)\n"
    text += section(
      "Usage", lines: ["\(program.name) [SUBCOMMAND] [OPTION …] [key=value …]"].map { "  \($0)" })
    text += section(
      "Subcommands",
      lines: table(
        program.commands.map { command in
          (command.name, command.summary + (command.name == program.defaultCommand ? " (also when none is named)" : ""))
        } + [("help [SUBCOMMAND]", "what a subcommand takes")]))
    text += section("Options", lines: table([("--help, -h", "this text"), ("--version", "the version")]))
    text += section("Examples", lines: lines(of: program.examples))
    text += "\n'\(program.name) SUBCOMMAND --help' tells the options and exit codes of each.\n"
    return text
  }

  static func of(_ command: CommandSyntax, program: String) -> String {
    var text = "\(program) \(command.name): \(command.summary)\n"
    var usage = command.options.map { $0.isRequired ? written($0) : "[\(written($0))]" }
    usage += command.operands.map(\.usage)
    if command.overrides != nil { usage.append("[key=value …]") }
    let start = "  \(program) \(command.name)"
    text += section(
      "Usage", lines: wrap(usage, first: start, following: String(repeating: " ", count: start.count)))
    if !command.discussion.isEmpty {
      let paragraphs = command.discussion.split(separator: "\n")
      text += paragraphs.map { "\n" + joined(wrap(words(String($0)), first: "", following: "")) }.joined()
    }
    var rows = command.operands.map { ($0.placeholder, $0.help) }
    rows += command.options.map { option in
      (option.letter.map { "-\($0), \(written(option))" } ?? written(option), option.help)
    }
    if let overrides = command.overrides { rows.append(("key=value", overrides)) }
    rows.append(("--help, -h", "this text"))
    text += section("Options", lines: table(rows))
    text += section("Examples", lines: lines(of: command.examples))
    text += section("Exit codes", lines: table(command.exitCodes.map { ("\($0.rawValue)", $0.meaning) }))
    return text
  }

  private static func written(_ option: any OptionDeclaration) -> String {
    option.placeholder.map { "\(option.spelling) \($0)" } ?? option.spelling
  }

  private static func section(_ title: String, lines: [String]) -> String {
    lines.isEmpty ? "" : "\n\(title):\n" + joined(lines)
  }

  private static func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  private static func lines(of examples: [Example]) -> [String] {
    examples.flatMap { ["  \($0.command)"] + wrap(words($0.explanation), first: "     ", following: "     ") }
  }

  /// Two columns: what is written, and what it means.
  private static func table(_ rows: [(String, String)]) -> [String] {
    let left = min(28, rows.map(\.0.count).max() ?? 0)
    let indent = String(repeating: " ", count: left + 3)
    return rows.flatMap { name, meaning -> [String] in
      if name.count > left { return ["  \(name)"] + wrap(words(meaning), first: indent, following: indent) }
      let start = "  " + name + String(repeating: " ", count: left - name.count + 1)
      return wrap(words(meaning), first: start, following: indent)
    }
  }

  private static func words(_ text: String) -> [String] {
    text.split(separator: " ").map(String.init)
  }

  /// Words with a space before each, broken before the width is passed.
  private static func wrap(_ words: [String], first: String, following: String) -> [String] {
    var lines: [String] = []
    var line = first
    var isEmpty = true
    for word in words {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = following
      }
      line += line.isEmpty ? word : " " + word
      isEmpty = false
    }
    return lines + [line]
  }
}

extension ExitCode {
  /// What the code tells a script, for help.
  public var meaning: String {
    switch self {
    case .success: "all went well"
    case .failure: "something failed that trying again may mend"
    case .usage: "the command line is wrong"
    case .badData: "a file's content is wrong"
    case .noInput: "a file that is needed is not there"
    case .unavailable: "the machine lacks what the program needs"
    case .software: "the program contradicts itself: a defect of ours"
    case .osError: "the operating system refused"
    case .cannotCreate: "an output cannot be created"
    case .inputOutput: "reading or writing failed midway"
    case .preempted: "the run was asked to stop and can go on later"
    case .noPermission: "permission is missing"
    case .configuration: "the configuration is wrong"
    }
  }
}
