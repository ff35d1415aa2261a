import Arguments
import Checkpoints
import Configuration
import Datasets
import Failures

/// The settings of the network that a file of weights is of.
enum NetworkSettings {
  static let config = Option(
    "config", placeholder: "FILE",
    help: "the settings of the network (default: those that the weights were trained with, as their file says)")
  static let imageSize = Option<[Int]>(
    "image-size", placeholder: "HEIGHTxWIDTH", expectation: "two numbers of pixels, such as 28x28",
    help: "of the images that the network is for (default: 28x28)",
    read: { text in
      let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      return sizes.count == 2 && sizes.allSatisfy { (1...4096).contains($0) } ? sizes : nil
    })

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

  /// - Parameter weights: whose first convolution tells the channels; nil for one.
  static func imageShape(_ arguments: ParsedArguments, for weights: SafetensorsFile? = nil) -> ImageShape {
    let size = arguments[imageSize] ?? [28, 28]
    let first = weights?.tensors.first { $0.name == "W1" && $0.shape.count == 4 }
    return ImageShape(channels: first?.shape[1] ?? 1, height: size[0], width: size[1])
  }
}
