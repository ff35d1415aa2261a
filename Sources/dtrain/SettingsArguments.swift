import Arguments
import Configuration
import Failures

/// How the command line says which settings are meant: a file, and what is changed of it.
enum SettingsArguments {
  static let config = Option(
    "config", placeholder: "FILE",
    help: "the YAML file to start from (default: \(DefaultConfiguration.name), in the current folder or above the "
      + "program; its settings are also the built-in ones)")
  static let overridesHelp =
    "sets one setting, such as seed=1, training.epochs=2, dataset.path=DIR or model.filters='[8, 8, 16, 16, 32, 32]'; "
    + "wins over the file"

  /// - Returns: the settings, the file they are from if any, and where they are from in words.
  static func load(_ arguments: ParsedArguments) throws(Failure) -> (Settings, file: String?, origin: String) {
    let file = arguments[config] ?? DefaultConfiguration.find()
    let settings = try SettingsLoader.load(file: file, overrides: arguments.overrides)
    let origin = file ?? "built-in (there is no \(DefaultConfiguration.name), which says the same)"
    return (settings, file, changed(origin, arguments))
  }

  /// Where settings are from, with what the command line changes of them.
  static func changed(_ origin: String, _ arguments: ParsedArguments) -> String {
    origin + (arguments.overrides.isEmpty ? "" : ", " + arguments.overrides.joined(separator: " "))
  }
}
