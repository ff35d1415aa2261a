import Arguments
import Checkpoints
import Failures
import NeuralNetwork
import Reporting
import Training
import WeightExchange

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `dtrain convert`.
enum ConvertCommand: Subcommand {
  private static let names = Option<ParameterNames>(
    choice: "names",
    help: "what the parameters are called in the output: W1, b1, … (dtrain, book: the same), or conv1.weight, …, as "
      + "PyTorch's load_state_dict takes them (default: dtrain); in the input either is known by itself")
  private static let force = Flag("force", help: "write over a file that is there")

  static let syntax = CommandSyntax(
    name: "convert", summary: "weights from and for other programs",
    discussion: "Each file's ending names its format: .safetensors (also a checkpoint, whose weights are taken alone), "
      + ".npz (NumPy), .pkl (a Python pickle of NumPy arrays, the book's format), and for the output .onnx, which holds "
      + "the whole network for prediction: images in, divided by 255, scores out. No code in a pickle is run.",
    options: [names, NetworkSettings.imageSize, NetworkSettings.config, force],
    operands: [Operand("IN", help: "the weights to read"), Operand("OUT", help: "the file to write")],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain convert deep_convnet_params.pkl book.safetensors", "the book's weights"),
      Example("dtrain convert weights.safetensors torch.safetensors --names pytorch", "for load_state_dict"),
      Example("dtrain convert weights.safetensors model.onnx", "for ONNX Runtime and others"),
    ],
    exitCodes: [
      .success, .usage, .badData, .noInput, .unavailable, .cannotCreate, .inputOutput, .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    let (source, target) = (arguments.operands[0], arguments.operands[1])
    guard let format = WeightsFormat(ofPath: target) else {
      throw Failure(
        .usage, "\(target): its ending names no format",
        remedy: "end it in .safetensors, .npz, .pkl or .onnx")
    }
    try refuseToOverwrite(target, force: arguments[force])
    let weights = try WeightsFile.read(source)
    if format == .onnx {
      guard arguments[names] == nil else {
        throw Failure(.usage, "--names for an ONNX model, whose parameters are W1, b1, …", remedy: "leave it out")
      }
      try writeModel(weights, source, target, arguments)
    } else {
      try WeightsFile.write(weights, to: target, names: arguments[names] ?? .dtrain, from: source)
    }
    let output = TextOutput()
    output.writeLine("\(target)  weights digest \(WeightsDigest.of(weights.tensors))")
    try output.finish()
  }

  private static func writeModel(
    _ weights: SafetensorsFile, _ source: String, _ target: String, _ arguments: ParsedArguments
  ) throws(Failure) {
    try ProcessorCheck.verify()
    let settings = try NetworkSettings.load(arguments, of: weights, source)
    let shape = NetworkSettings.imageShape(arguments, for: weights)
    try ONNXModel.write(
      settings.makeNetwork(for: shape, weights: weights, from: source), to: target,
      producer: (Program.name, Program.version))
  }

  static func refuseToOverwrite(_ path: String, force: Bool) throws(Failure) {
    guard !force, access(path, F_OK) == 0 else { return }
    throw Failure(.cannotCreate, "\(path): there is such a file already", remedy: "name another, or give --force")
  }
}
