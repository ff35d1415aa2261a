import Arguments

private enum Choice: String, CaseIterable, Sendable { case auto, line, plain }

private let number = Option("max-steps", letter: "n", in: 1...1000, help: "a number")
private let name = Option("run-dir", placeholder: "DIR", help: "a name", isRequired: true)
private let choice = Option<Choice>(choice: "progress", help: "a choice")
private let flag = Flag("quiet", letter: "q", help: "a flag")
private let syntax = ProgramSyntax(
  name: "dtrain", version: "1", summary: "a program",
  commands: [
    CommandSyntax(
      name: "train", summary: "options and settings", options: [number, name, choice, flag],
      overrides: "settings", exitCodes: [.success]),
    CommandSyntax(
      name: "inspect", summary: "operands",
      operands: [Operand("FILE", help: "a file"), Operand("MORE", .any, help: "")],
      exitCodes: [.success]),
  ], defaultCommand: "train", examples: [])

/// Command lines, an argument a line.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCommandLine(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: input(start, count), as: UTF8.self)
  let arguments = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  guard let request = try? syntax.interpret(arguments) else { return 0 }
  switch request {
  case .text(let text): require(!text.isEmpty, "help is no empty text")
  case .command(let command, let parsed):
    if command == "train" {
      require(parsed[name]?.isEmpty == false, "what is required is there")
      if let number = parsed[number] { require((1...1000).contains(number), "numbers lie in their range") }
      require(parsed.operands.isEmpty, "there is no operand that nobody asked for")
    } else {
      require(!parsed.operands.isEmpty && parsed.overrides.isEmpty, "operands are there")
    }
  }
  return 0
}
