import Arguments
import Checkpoints
import Failures
import Reporting

/// `dtrain inspect`.
enum InspectCommand: Subcommand {
  static let syntax = CommandSyntax(
    name: "inspect", summary: "what a file of weights holds",
    discussion: "Prints each tensor's name, shape and range, the step and epoch at which the weights were written, and "
      + "their digest: SHA-256 over all parameters, which any tool can compute.",
    operands: [Operand("FILE", help: "a safetensors file")],
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
    try output.finish()
  }
}
