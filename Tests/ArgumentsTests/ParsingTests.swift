import Failures
import Testing

@testable import Arguments

private enum Color: String, CaseIterable, Sendable {
  case red
  case green
  case blue
}

private let file = Option("config", placeholder: "FILE", help: "the settings")
private let steps = Option("max-steps", letter: "s", in: 1...Int.max, help: "steps")
private let port = Option("port", in: 0...65535, help: "a port")
private let color = Option<Color>(choice: "color", help: "a color")
private let quiet = Flag("quiet", letter: "q", help: "say little")

private let train = CommandSyntax(
  name: "train", summary: "trains", options: [file, steps, port, color, quiet], overrides: "a setting",
  exitCodes: [.success])
private let inspect = CommandSyntax(
  name: "inspect", summary: "shows a file", options: [quiet], operands: [Operand("FILE", help: "what to show")],
  exitCodes: [.success])
private let launch = CommandSyntax(
  name: "launch", summary: "starts", options: [steps],
  operands: [Operand("ARGUMENT", .atLeastOne, help: "what to run")],
  exitCodes: [.success])
private let convert = CommandSyntax(
  name: "convert", summary: "converts",
  operands: [Operand("IN", help: "from"), Operand("OUT", .oneOrNone, help: "to")], exitCodes: [.success])
private let program = ProgramSyntax(
  name: "dtrain", version: "1.2.3", summary: "trains networks", commands: [train, inspect, launch, convert],
  defaultCommand: "train", examples: [])

private func parse(_ arguments: String..., as syntax: CommandSyntax = train) throws -> ParsedArguments {
  try ParsedArguments(arguments, of: syntax, program: "dtrain")
}

private func failure(_ arguments: String..., as syntax: CommandSyntax = train) -> Failure? {
  #expect(throws: Failure.self) { try ParsedArguments(arguments, of: syntax, program: "dtrain") }
}

private func usageError(_ arguments: String...) -> Failure? {
  let failure = #expect(throws: Failure.self) { try program.interpret(arguments) }
  #expect(failure?.code == .usage)
  return failure
}

@Suite struct ParsedArgumentsTests {
  @Test func valuesFollowOrAreAttached() throws {
    for arguments in [["--config", "a.yaml", "--max-steps", "7"], ["--max-steps=7", "--config=a.yaml"]] {
      let parsed = try ParsedArguments(arguments, of: train, program: "dtrain")
      #expect(parsed[file] == "a.yaml")
      #expect(parsed[steps] == 7)
      #expect(parsed[port] == nil)
      #expect(!parsed[quiet])
    }
  }

  @Test func lettersStandForOptions() throws {
    let parsed = try parse("-s", "3", "-q")
    #expect(parsed[steps] == 3)
    #expect(parsed[quiet])
  }

  @Test func overridesKeepTheirOrderAmongOptions() throws {
    let parsed = try parse("seed=1", "--quiet", "model.filters=[8, 8]", "--config", "x=y.yaml", "seed=2")
    #expect(parsed.overrides == ["seed=1", "model.filters=[8, 8]", "seed=2"])
    #expect(parsed[file] == "x=y.yaml")
    #expect(parsed.operands.isEmpty)
  }

  @Test func anAttachedValueMayHoldAnything() throws {
    #expect(try parse("--config=a=b c--")[file] == "a=b c--")
    #expect(try parse("--config=--odd")[file] == "--odd")
  }

  @Test func afterTwoDashesNothingIsAnOption() throws {
    let parsed = try parse("--max-steps", "2", "--", "train", "--max-steps", "3", "--", as: launch)
    #expect(parsed[steps] == 2)
    #expect(parsed.operands == ["train", "--max-steps", "3", "--"])
    #expect(try parse("--", "-odd-name", as: inspect).operands == ["-odd-name"])
    #expect(try parse("--", "seed=1").overrides == ["seed=1"])
  }

  @Test func aCommandWithoutOverridesTakesAnEqualsSignAsPartOfAName() throws {
    #expect(try parse("seed=1.safetensors", as: inspect).operands == ["seed=1.safetensors"])
    #expect(try parse("-", as: inspect).operands == ["-"])
  }

  @Test func operandsAreCounted() throws {
    #expect(try parse("a", as: convert).operands == ["a"])
    #expect(try parse("a", "b", as: convert).operands == ["a", "b"])
    #expect(failure("a", "b", "c", as: convert)?.cause == "unexpected argument 'c'")
    #expect(failure(as: convert)?.cause == "convert needs IN: from")
    #expect(failure("--quiet", as: inspect)?.cause == "inspect needs FILE: what to show")
    #expect(failure(as: launch)?.code == .usage)
  }

  @Test func numbersHaveToBeWholeAndInRange() throws {
    #expect(try parse("--port=0")[port] == 0)
    #expect(try parse("--port", "65535")[port] == 65535)
    for text in ["65536", "-1", "", "1e3", "0x10", " 1", "99999999999999999999", "seven"] {
      let failure = failure("--port", text)
      #expect(failure?.code == .usage)
      #expect(failure?.cause == "--port: '\(text)' is not a whole number from 0 to 65535")
    }
    #expect(failure("--max-steps", "0")?.cause == "--max-steps: '0' is not a whole number of at least 1")
  }

  @Test func wordsHaveToBeAmongTheKnown() throws {
    #expect(try parse("--color=green")[color] == .green)
    #expect(failure("--color=grey")?.cause == "--color: 'grey' is not red, green or blue")
  }

  @Test func anEmptyNameIsNone() {
    #expect(failure("--config=")?.cause == "--config: '' is not a name: it is empty")
  }

  @Test func missingValuesAreNamed() {
    #expect(failure("--config")?.description == "--config has no value; write --config FILE")
    #expect(failure("--config", "--quiet")?.cause == "--config has no value")
  }

  @Test func flagsTakeNoValue() {
    #expect(failure("--quiet=yes")?.description == "--quiet takes no value; write --quiet alone")
  }

  @Test func nothingIsGivenTwice() {
    #expect(failure("--max-steps=1", "-s", "2")?.cause == "--max-steps is given twice")
    #expect(failure("--quiet", "-q")?.cause == "--quiet is given twice")
  }

  @Test func unknownOptionsAreComparedWithTheKnown() {
    #expect(failure("--confg", "x")?.description == "unknown option --confg; did you mean --config?")
    #expect(failure("--max-step=3")?.description == "unknown option --max-step; did you mean --max-steps?")
    #expect(failure("--frobnicate")?.description == "unknown option --frobnicate; see 'dtrain train --help'")
    #expect(failure("-5")?.cause == "unknown option -5")
  }

  @Test func anArgumentThatIsNoSettingIsRefused() {
    let failure = failure("epochs")
    #expect(failure?.cause == "unexpected argument 'epochs'")
    #expect(failure?.remedy == "settings are written key=value; see 'dtrain train --help'")
  }
}

@Suite struct ProgramTests {
  @Test(arguments: [[], ["--quiet"], ["seed=1"], ["-q", "seed=1"], ["train"]])
  func nothingNamedMeansTheDefault(_ arguments: [String]) throws {
    guard case .command("train", let parsed) = try program.interpret(arguments) else {
      Issue.record("not the default command")
      return
    }
    #expect(parsed.overrides == arguments.filter { $0.contains("=") })
    #expect(parsed[quiet] == (arguments.contains("--quiet") || arguments.contains("-q")))
  }

  @Test func aSubcommandGetsWhatFollows() throws {
    guard case .command("inspect", let parsed) = try program.interpret(["inspect", "train"]) else {
      Issue.record("not inspect")
      return
    }
    #expect(parsed.operands == ["train"])
  }

  @Test func unknownSubcommandsAreComparedWithTheKnown() {
    #expect(usageError("trian")?.description == "unknown subcommand 'trian'; did you mean train?")
    #expect(usageError("hepl")?.remedy == "did you mean help?")
    #expect(usageError("xyz")?.remedy == "see 'dtrain --help'")
    #expect(usageError("")?.cause == "unknown subcommand ''")
    #expect(usageError("help", "inspct")?.remedy == "did you mean inspect?")
    #expect(usageError("help", "train", "inspect")?.cause == "unexpected argument 'inspect'")
  }

  private func text(_ arguments: String...) throws -> String {
    guard case .text(let text) = try program.interpret(arguments) else {
      Issue.record("no text for \(arguments)")
      return ""
    }
    return text
  }

  @Test func theVersionIsOneLine() throws {
    #expect(try text("--version") == "dtrain 1.2.3\n")
  }

  @Test func helpNamesEverySubcommand() throws {
    let help = try text("--help")
    for command in program.commands { #expect(help.contains("\n  \(command.name) ")) }
    #expect(help.contains("trains (also when none is named)"))
    #expect(try text("-h") == help)
    #expect(try text("help") == help)
  }

  @Test func helpOfASubcommandNamesAllItTakes() throws {
    let help = try text("train", "--help")
    for option in train.options { #expect(help.contains(option.spelling) && help.contains(option.help)) }
    #expect(help.contains("[--color red|green|blue]"))
    #expect(help.contains("[key=value …]"))
    #expect(help.contains("-s, --max-steps N"))
    #expect(try text("help", "train") == help)
    #expect(try text("--quiet", "--help") == help)
    #expect(try text("inspect", "-h").contains("dtrain inspect [--quiet] FILE\n"))
    #expect(try text("help", "launch").contains("ARGUMENT …"))
  }

  @Test func helpWinsOverWrongArgumentsButNotAfterTwoDashes() throws {
    #expect(try text("train", "--nonsense", "--help").hasPrefix("dtrain train:"))
    guard case .command("launch", let parsed) = try program.interpret(["launch", "--", "train", "--help"]) else {
      Issue.record("help of what is launched was taken for our own")
      return
    }
    #expect(parsed.operands == ["train", "--help"])
  }

  @Test func helpFitsEightyColumns() throws {
    let long = CommandSyntax(
      name: "long", summary: "has much to say",
      discussion: String(repeating: "many words and ", count: 30) + "\nA paragraph.",
      options: [Option("a-very-long-name-indeed", placeholder: "FILE", help: String(repeating: "word ", count: 40))],
      overrides: String(repeating: "again ", count: 40), examples: [Example("long one", "shows it")],
      exitCodes: [.success, .usage])
    let syntax = ProgramSyntax(
      name: "dtrain", version: "1", summary: "s", commands: [long], defaultCommand: "long", examples: [])
    guard case .text(let help) = try syntax.interpret(["--help", "long"]),
      case .text(let own) = try syntax.interpret(["long", "-h"])
    else {
      Issue.record("no text")
      return
    }
    for line in (help + own).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    #expect(own.contains("\n  64 "))
    #expect(own.contains("\n  long one\n"))
  }
}
