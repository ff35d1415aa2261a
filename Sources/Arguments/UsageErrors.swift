import Failures

/// The errors of one subcommand's command line, each with what to write instead.
struct UsageErrors {
  let syntax: CommandSyntax
  let program: String

  private var seeHelp: String { "see '\(program) \(syntax.name) --help'" }

  func option(written text: String) -> (any OptionDeclaration)? {
    syntax.options.first { option in
      option.spelling == text || option.letter.map { "-\($0)" == text } ?? false
    }
  }

  func unknownOption(_ text: String) -> Failure {
    let nearest = Spelling.nearest(to: text, in: syntax.options.map(\.spelling) + ["--help"])
    return Failure(
      .usage, "unknown option \(text)", remedy: nearest.map { "did you mean \($0)?" } ?? seeHelp)
  }

  func givenTwice(_ option: any OptionDeclaration) -> Failure {
    Failure(.usage, "\(option.spelling) is given twice", remedy: "leave one of them out")
  }

  func missing(_ option: any OptionDeclaration) -> Failure {
    Failure(
      .usage, "\(syntax.name) needs \(option.spelling) \(option.placeholder ?? ""): \(option.help)", remedy: seeHelp)
  }

  func missingValue(_ option: any OptionDeclaration) -> Failure {
    Failure(
      .usage, "\(option.spelling) has no value",
      remedy: "write \(option.spelling) \(option.placeholder ?? "")")
  }

  func valueOfFlag(_ option: any OptionDeclaration) -> Failure {
    Failure(.usage, "\(option.spelling) takes no value", remedy: "write \(option.spelling) alone")
  }

  func wrongValue(_ option: any OptionDeclaration, _ text: String) -> Failure {
    Failure(.usage, "\(option.spelling): '\(text)' is not \(option.expectation)", remedy: seeHelp)
  }

  func check(_ operands: [String]) throws(Failure) {
    var left = operands[...]
    for operand in syntax.operands {
      switch operand.count {
      case .one, .atLeastOne:
        guard left.popFirst() != nil else {
          throw Failure(
            .usage, "\(syntax.name) needs \(operand.placeholder): \(operand.help)", remedy: seeHelp)
        }
        if operand.count == .atLeastOne { left = [] }
      case .oneOrNone: _ = left.popFirst()
      case .any: left = []
      }
    }
    guard let surplus = left.first else { return }
    throw Failure(
      .usage, "unexpected argument '\(surplus)'",
      remedy: syntax.overrides == nil ? seeHelp : "settings are written key=value; \(seeHelp)")
  }
}
