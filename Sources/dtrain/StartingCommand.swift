import Arguments
import Communication
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How this program was started, so that what it advises can be pasted.
enum StartingCommand {
  /// The variable by which what starts the ranks for a person (`launch/train.sh`, `dtrain launch`) says how it was
  /// started itself, as the shell takes it: with all that stands before `train`.
  static let variable = "DTRAIN_STARTED_BY"
  private static let launchers: Set = ["mpirun", "mpiexec", "orterun", "prterun", "mpirun.openmpi", "mpiexec.openmpi"]

  /// What stands before the subcommand: launcher, its options, and the program.
  static func ofRanks() -> String {
    if let named = environmentVariable(variable), !named.isEmpty { return named }
    guard let launcher = Launcher.detect() else { return ShellText.command([program]) }
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let words = words(before: arguments, in: parentWords()) { return ShellText.command(words) }
    let count = launcher.size.map { ["-n", "\($0)"] } ?? []
    // Open MPI needs PMIx of srun, which need not be its default.
    let start = launcher.name.hasPrefix("srun") ? ["srun", "--mpi=pmix"] : ["mpirun"]
    return ShellText.command(start + count + [program])
  }

  /// What stands before the subcommand of a launch's training: the launch and its options.
  static func ofLaunch() -> String {
    let words = CommandLine.arguments.dropFirst()
    let end = words.firstIndex(of: "--") ?? words.firstIndex(of: TrainCommand.syntax.name) ?? words.endIndex
    return ShellText.command([program] + words[..<end] + ["--"])
  }

  /// Of a launcher's words those before the arguments of its ranks; nil where it is none, or starts several programs.
  static func words(before arguments: [String], in words: [String]) -> [String]? {
    guard let name = words.first?.split(separator: "/").last, launchers.contains(String(name)), !words.contains(":"),
      words.count > arguments.count + 1, Array(words.suffix(arguments.count)) == arguments
    else { return nil }
    return words.dropLast(arguments.count)
  }

  /// As the user typed it.
  private static var program: String { CommandLine.arguments.first ?? Program.name }

  /// The command line of the process that has started this one; empty where the system does not tell.
  private static func parentWords() -> [String] {
    let descriptor = open("/proc/\(getppid())/cmdline", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = read(descriptor, &bytes, bytes.count)
    // A command line that does not fit is not known whole.
    guard count > 0, count < bytes.count else { return [] }
    return bytes[..<(count - 1)].split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
