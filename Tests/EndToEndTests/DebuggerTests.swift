import Foundation
import Testing

extension EndToEnd {
  /// `launch/debug.sh` in each of its ways, with commands in place of a person.
  @Suite(.enabled(if: Debugger.isPossible, "lldb cannot be started here, or may not trace a process"))
  struct DebuggerTests {
    private let folder: TemporaryFolder
    private let arguments = ["--quiet", "--max-steps", "2", "--run-dir", "run"] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    /// Stops at the first update of the optimizer, says where that is, and goes on to the end.
    private func stop(_ way: [String], begin: String) throws -> Execution {
      let commands = [
        "breakpoint set --one-shot true --name adamUpdate", begin, "thread backtrace", "continue",
      ]
      return try Debugger.run(commands, way + arguments, folder.url)
    }

    private func expectStop(_ run: Execution, _ frames: String...) {
      run.expectOrderlyEnd(0)
      #expect(run.output.contains("adamUpdate("), "\(run.output)\(run.errors)")
      for frame in frames { #expect(run.output.contains(frame), "\(run.output)") }
      #expect(run.output.contains("exited with status = 0"), "\(run.output)")
    }

    @Test func oneProcessStopsWhereItIsTold() throws {
      expectStop(try stop(["single", "train"], begin: "run"), "TrainingStep.run(", "TrainCommand.run(")
    }

    @Test func replicasStopAsThreadsOfOneProcess() throws {
      expectStop(try stop(["replicas", "2", "train"], begin: "run"), "TrainingStep.run(", "InProcessReplicas.run<")
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func oneRankOfAJobStops() throws {
      let run = try stop(["rank", "1", "2", "train"], begin: "continue")
      expectStop(run, "TrainingStep.run(")
      #expect(run.errors.contains("rank 1 waits for a debugger: process "))
      #expect(run.line("weights digest ") != nil)
    }
  }

  @Suite struct DebuggerUsageTests {
    @Test(arguments: [
      [], ["two"], ["replicas"], ["replicas", "x"], ["rank", "1"], ["rank", "2", "2"], ["--command"],
    ])
    func whatIsNoWayToDebugIsRefused(_ way: [String]) throws {
      let run = try Debugger.run([], way, FileManager.default.temporaryDirectory)
      #expect(run.status == 64 && run.errors.contains("launch/debug.sh: "), "\(run.errors)")
    }
  }
}

private enum Debugger {
  static func run(_ commands: [String], _ arguments: [String], _ folder: URL) throws -> Execution {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "launch/debug.sh")
    var launch = Launch(folder: folder)
    launch.environment["DTRAIN_EXECUTABLE"] = try Launch.program()
    launch.instead = [script.path] + commands.flatMap { ["--command", $0] }
    return try launch.run(arguments)
  }

  static let isPossible: Bool = {
    let attempt = try? run(["run"], ["single", "--version"], FileManager.default.temporaryDirectory)
    return attempt?.status == 0 && attempt?.output.contains("exited with status = 0") == true
  }()
}
