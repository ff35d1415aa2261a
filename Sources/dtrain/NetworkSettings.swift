import Arguments
import Checkpoints
import Configuration
import Failures

/// The settings of the network that a file of weights is of.
enum NetworkSettings {
  static let config = Option(
    "config", placeholder: "FILE",
    help: "the settings of the network (default: those that the weights were trained with, as their file says)")

  static func load(
    _ arguments: ParsedArguments, of file: SafetensorsFile, _ path: String
  ) throws(Failure) -> Settings {
    // A run may have tested on a part of the images; here all of them count unless the command line says otherwise.
    if let own = file.configuration, arguments[config] == nil {
      return try SettingsLoader.load(
        text: own, named: "\(path), its configuration", overrides: ["dataset.test_samples=0"] + arguments.overrides)
    }
    return try SettingsLoader.load(
      file: arguments[config] ?? DefaultConfiguration.find(), overrides: arguments.overrides)
  }
}
