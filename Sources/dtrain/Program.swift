import Arguments
import Failures
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The program: its subcommands, and the way from its arguments to an exit code.
enum Program {
  static let name = "dtrain"
  static let version = "0.1.0"
  /// In the order of help.
  static let commands: [any Subcommand.Type] = [
    TrainCommand.self, EvaluateCommand.self, InspectCommand.self, BenchCommand.self,
    ProfileCommand.self, ReportCommand.self, ConfigCommand.self, ReplayCommand.self, PredictCommand.self,
    ConvertCommand.self, DataCommand.self, LaunchCommand.self, ScaleCommand.self, SimulateCommand.self,
    DoctorCommand.self,
  ]

  static let syntax = ProgramSyntax(
    name: name, version: version,
    summary: "trains a network in step over any number of ranks, to the same bits",
    commands: commands.map { $0.syntax }, defaultCommand: "train",
    examples: [
      Example("dtrain", "trains DeepConvNet on MNIST in this process"),
      Example("mpirun -n 4 dtrain", "the same with four ranks: the weights are the same to the last bit"),
      Example("dtrain --max-steps 60 seed=1 training.batch=200", "60 steps with other settings"),
    ])

  /// Does what the arguments (without the program's name) ask for, and ends the process.
  static func run(_ arguments: [String]) -> Never {
    do throws(Failure) {
      switch try syntax.interpret(arguments) {
      case .text where Ranks.launchedRank ?? 0 > 0: break
      case .text(let text):
        let output = TextOutput()
        output.write(text)
        try output.finish()
      case .command(let name, let arguments):
        for command in commands where command.syntax.name == name { try command.run(arguments) }
      }
      exit(ExitCode.success.rawValue)
    } catch {
      // Where a launcher has started several ranks, it ends the others when it sees this one's code.
      LastWords.end(error, rank: Ranks.launchedRank) { exit($0.rawValue) }
    }
  }
}
