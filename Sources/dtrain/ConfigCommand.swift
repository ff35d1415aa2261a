import Arguments
import Configuration
import Failures
import Reporting

/// `dtrain config`.
enum ConfigCommand: Subcommand {
  private static let schema = Flag(
    "schema", help: "the JSON Schema of a file of settings, from which editors complete and check it")
  private static let table = Flag("table", help: "all settings as a table in Markdown")
  private static let explain = Option(
    "explain", placeholder: "KEY",
    help: "what a setting or a section means, its values, default and scope; all: every one")

  static let syntax = CommandSyntax(
    name: "config", summary: "the settings a run would have, and what each means",
    discussion: "Prints all settings as a file that starts the same run: the defaults, changed by the file and the "
      + "command line. In a file `extends: other.yaml` names a file beside it whose settings it changes, and a value "
      + "may be ${NAME} or ${NAME:-text}, which the environment fills in.",
    options: [schema, table, explain, SettingsArguments.config], overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain config training.batch=200", "the whole file for that run"),
      Example("dtrain config --explain optimizer", "what the settings of the optimizer mean"),
      Example("dtrain config --schema > dtrain.schema.json", "for an editor"),
    ],
    exitCodes: [.success, .usage, .noInput, .inputOutput, .noPermission, .configuration])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    let text = try text(arguments)
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    let output = TextOutput()
    output.writeLine(text)
    try output.finish()
  }

  private static func text(_ arguments: ParsedArguments) throws(Failure) -> String {
    var asked = [schema, table].filter { arguments[$0] }.map(\.spelling)
    if arguments[explain] != nil { asked.append(explain.spelling) }
    guard asked.count < 2 else {
      throw Failure(.usage, "\(asked.joined(separator: " and ")) exclude each other", remedy: "give one of them")
    }
    if arguments[schema] { return SettingsSchema.value.encoded }
    if arguments[table] { return SettingsCatalog.markdownTable }
    if let key = arguments[explain] { return try SettingsCatalog.explanation(of: key == "all" ? nil : key) }
    let (settings, _, _) = try SettingsArguments.load(arguments)
    var text = settings.yaml(documented: true)
    while text.hasSuffix("\n") { text.removeLast() }
    return text
  }
}
