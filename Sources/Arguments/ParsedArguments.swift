import Failures

/// The arguments of one subcommand, read and checked.
public struct ParsedArguments: Sendable {
  private var values: [String: any Sendable] = [:]
  private var flags: Set<String> = []
  /// What stands at the places of the operands.
  public private(set) var operands: [String] = []
  /// The `key=value` arguments, in their order.
  public private(set) var overrides: [String] = []

  /// The value of an option, nil when it was not given.
  public subscript<Value>(option: Option<Value>) -> Value? { values[option.name] as? Value }

  /// Whether a flag was given.
  public subscript(flag: Flag) -> Bool { flags.contains(flag.name) }

  /// Reads the arguments that follow a subcommand's name: `--option value`, `--option=value`, `--flag`, operands and
  /// `key=value`, in any order; after `--` nothing is an option.
  ///
  /// - Throws: a failure with `ExitCode.usage` for anything that the syntax does not know, that is missing, given twice
  ///   or out of range.
  public init(_ arguments: some Sequence<String>, of syntax: CommandSyntax, program: String) throws(Failure) {
    let reader = UsageErrors(syntax: syntax, program: program)
    var rest = Array(arguments)[...]
    var onlyOperands = false
    while let argument = rest.popFirst() {
      if onlyOperands || argument == "-" || !argument.hasPrefix("-") {
        if syntax.overrides != nil, ProgramSyntax.isOverride(argument) {
          overrides.append(argument)
        } else {
          operands.append(argument)
        }
      } else if argument == "--" {
        onlyOperands = true
      } else {
        try read(option: argument, following: &rest, reader)
      }
    }
    for option in syntax.options where option.isRequired && values[option.name] == nil {
      throw reader.missing(option)
    }
    try reader.check(operands)
  }

  private mutating func read(
    option argument: String, following rest: inout ArraySlice<String>, _ reader: UsageErrors
  ) throws(Failure) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = reader.option(written: parts[0]) else { throw reader.unknownOption(parts[0]) }
    guard values[option.name] == nil, !flags.contains(option.name) else { throw reader.givenTwice(option) }
    var text = parts.count > 1 ? parts[1] : nil
    if option.placeholder == nil {
      guard text == nil else { throw reader.valueOfFlag(option) }
      flags.insert(option.name)
      return
    }
    if text == nil, let next = rest.first, !next.hasPrefix("--") {
      text = next
      rest.removeFirst()
    }
    guard let text else { throw reader.missingValue(option) }
    guard let value = option.value(of: text) else { throw reader.wrongValue(option, text) }
    values[option.name] = value
  }
}
