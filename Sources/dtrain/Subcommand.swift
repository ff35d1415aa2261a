import Arguments
import Failures

/// One thing that the program does. A new one is a file with a type of this kind, and a line in `Program.commands`.
protocol Subcommand: SendableMetatype {
  /// What it takes, from which its arguments are read and its help is written.
  static var syntax: CommandSyntax { get }

  /// - Throws: whatever has to end the job; it becomes one line on standard error and the exit code.
  static func run(_ arguments: ParsedArguments) throws(Failure)
}
