import Arguments
import Checkpoints
import Failures
import Reporting

/// `dtrain inspect`.
enum InspectCommand: Subcommand {
  static let syntax = CommandSyntax(
    name: "inspect", summary: "what a file of weights holds",
    discussion: "Prints each tensor's name, shape and range, the step and epoch at which the weights were written, and "
      + "their digest: SHA-256 over all parameters, which any tool can compute. Of a checkpoint also the digest of its state, and whether its "
      + "checksum holds.",
    operands: [Operand("FILE", help: "a safetensors file, weights or a checkpoint")],
    examples: [Example("dtrain inspect runs/first/weights.safetensors", "the weights at the end of a run")],
    exitCodes: [.success, .usage, .badData, .noInput, .inputOutput, .noPermission])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    let inspection = try WeightsInspection(of: arguments.operands[0])
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    let output = TextOutput()
    output.writeLine(inspection.table())
    if let step = inspection.step { output.writeLine("step \(step)") }
    if let epoch = inspection.epoch { output.writeLine("epoch \(epoch)") }
    output.writeLine("weights digest \(inspection.digest)")
    if let average = inspection.averageDigest { output.writeLine("average digest \(average)") }
    if let state = inspection.stateDigest { output.writeLine("state digest \(state)") }
    if let isUnaltered = inspection.isUnaltered {
      output.writeLine("checksum \(isUnaltered ? "holds" : "does not hold")")
    }
    try output.finish()
    if inspection.isUnaltered == false {
      throw Failure(
        .badData, "\(arguments.operands[0]): the file is not as it was written: its checksum does not hold",
        remedy: "take another copy of it, or the checkpoint before it")
    }
  }
}
