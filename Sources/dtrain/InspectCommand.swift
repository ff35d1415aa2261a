import Arguments
import Checkpoints
import Configuration
import Failures
import NeuralNetwork
import Reporting
import Training
import WeightExchange

/// `dtrain inspect`.
enum InspectCommand: Subcommand {
  static let syntax = CommandSyntax(
    name: "inspect", summary: "what a file of weights holds, or what network some settings make",
    discussion:
      "Of weights, prints each tensor's name, shape and range, the step and epoch at which they were written, "
      + "and their digest: SHA-256 over all parameters, which any tool can compute; of a checkpoint also the digest of "
      + "its state, and whether its checksum holds. Of a network (a .yaml file of settings, or the one that the weights "
      + "are of) prints each layer's output, parameters, operations for one image, and how much of the image one output "
      + "sees.",
    options: [NetworkSettings.config, NetworkSettings.imageSize],
    operands: [
      Operand("FILE", help: "weights (safetensors, also a checkpoint, .npz or .pkl), or settings (.yaml)")
    ],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain inspect runs/first/weights.safetensors", "the weights at the end of a run"),
      Example("dtrain inspect configs/why-deep-7x7.yaml", "a network that nobody has trained yet"),
    ],
    exitCodes: [.success, .usage, .badData, .noInput, .inputOutput, .noPermission, .configuration])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    let path = arguments.operands[0]
    let output = TextOutput()
    guard !path.hasSuffix(".yaml"), !path.hasSuffix(".yml") else {
      let settings = try SettingsLoader.load(file: path, overrides: arguments.overrides)
      let network = try settings.makeNetwork(for: NetworkSettings.imageShape(arguments))
      for line in NetworkTable(network).lines { output.writeLine(line) }
      return try output.finish()
    }
    let inspection = try inspection(of: path)
    output.writeLine(inspection.table())
    if let step = inspection.step { output.writeLine("step \(step)") }
    if let epoch = inspection.epoch { output.writeLine("epoch \(epoch)") }
    output.writeLine("weights digest \(inspection.digest)")
    if let state = inspection.stateDigest { output.writeLine("state digest \(state)") }
    if let isUnaltered = inspection.isUnaltered {
      output.writeLine("checksum \(isUnaltered ? "holds" : "does not hold")")
    }
    if inspection.isUnaltered != false, let network = try network(of: path, arguments) {
      output.writeLine("")
      for line in NetworkTable(network).lines { output.writeLine(line) }
    }
    try output.finish()
    if inspection.isUnaltered == false {
      throw Failure(
        .badData, "\(path): the file is not as it was written: its checksum does not hold",
        remedy: "take another copy of it, or the checkpoint before it")
    }
  }

  /// Of a checkpoint all tensors, of another program's file those under dtrain's names.
  private static func inspection(of path: String) throws(Failure) -> WeightsInspection {
    switch WeightsFormat(ofPath: path) {
    case .safetensors, nil: try WeightsInspection(of: path)
    case .npz, .pickle, .onnx: WeightsInspection(try WeightsFile.read(path))
    }
  }

  /// The network that the weights are of; nil where neither their file nor the command line says, and they are not of
  /// the usual one.
  private static func network(of path: String, _ arguments: ParsedArguments) throws(Failure) -> Network? {
    let weights = try WeightsFile.read(path)
    let isAsked = arguments[NetworkSettings.config] != nil || !arguments.overrides.isEmpty
    do throws(Failure) {
      let settings = try NetworkSettings.load(arguments, of: weights, path)
      return try settings.makeNetwork(
        for: NetworkSettings.imageShape(arguments, for: weights), weights: weights, from: path)
    } catch {
      if isAsked { throw error }
      return nil
    }
  }
}
