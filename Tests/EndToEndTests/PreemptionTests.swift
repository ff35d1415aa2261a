import Foundation
import Testing

extension EndToEnd {
  /// A run that is asked to stop writes its state and leaves with code 75, and goes on later.
  @Suite struct PreemptionTests {
    private let folder: TemporaryFolder
    /// So many epochs that only a signal ends the run.
    private let arguments =
      [
        "train", "--progress", "none", "--quiet", "--run-dir", "run", "training.epochs=100000",
        "checkpoint.every_epochs=0",
      ] + ShortRun.settings

    init() throws { folder = try TemporaryFolder() }

    /// Starts a job, waits until it has made steps, hands its processes to the closure (the launcher is nil where there
    /// is none), and returns how it ended.
    private func stop(
      ranks: Int? = nil, _ more: [String] = [], _ signal: (_ launcher: Int32?, _ ranks: [Int32]) -> Void
    ) throws -> (status: Int32, errors: String) {
      let errors = folder.url.appending(path: "errors")
      _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
      let metrics = folder.path("run/metrics.jsonl")
      try? FileManager.default.removeItem(atPath: metrics)
      let process = try Launch(ranks: ranks, folder: folder.url).start(
        arguments + more, output: FileHandle.nullDevice, errors: try FileHandle(forWritingTo: errors))
      while process.isRunning, ((try? Data(contentsOf: URL(fileURLWithPath: metrics)))?.count ?? 0) == 0 {
        usleep(20_000)
      }
      // `timeout` is the parent of all.
      let first = children(process.processIdentifier)
      if ranks == nil { signal(nil, first) } else { signal(first.first, children(first.first ?? 0)) }
      process.waitUntilExit()
      return (process.terminationStatus, try String(contentsOf: errors, encoding: .utf8))
    }

    private func children(_ parent: Int32) -> [Int32] {
      let text = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
      return text.split(separator: " ").compactMap { Int32($0) }
    }

    private var hasCheckpoint: Bool {
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path("run/checkpoints"))
      return names?.contains { $0.hasSuffix(".safetensors") } == true
    }

    /// The step of the newest checkpoint.
    private func newestStep() throws -> Int {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("run/checkpoints"))
      return try #require(names.compactMap { Int($0.dropFirst(5).dropLast(12)) }.max())
    }

    /// Goes on for some steps, on other ranks, and compares with a run that nobody stopped.
    private func expectToGoOn() throws {
      let steps = "\(try newestStep() + 5)"
      let (resumed, undisturbed) = (arguments + ["--resume", "auto"], arguments.map { $0 == "run" ? "whole" : $0 })
      let end = try Launch(folder: folder.url).run(resumed + ["--replicas", "2", "--max-steps", steps])
      end.expectOrderlyEnd(0)
      #expect(try Launch(folder: folder.url).run(undisturbed + ["--max-steps", steps]).output == end.output)
    }

    /// What the run advised goes on with it as it is, pasted into a shell.
    private func expectAdviceToGoOn(_ errors: String) throws {
      let line = try #require(errors.split(separator: "\n").last { $0.contains("; go on with: ") })
      let command = try #require(String(line).components(separatedBy: "; go on with: ").last)
      let steps = "\(try newestStep() + 5)"
      let end = try Launch(
        through: ["bash", "-c", "\(command) --max-steps \(steps)"], folder: folder.url, isWhole: true
      )
      .run([])
      end.expectOrderlyEnd(0)
      let undisturbed = arguments.map { $0 == "run" ? "whole" : $0 }
      #expect(try Launch(folder: folder.url).run(undisturbed + ["--max-steps", steps]).output == end.output)
    }

    /// A shell makes what it starts in the background ignore SIGINT; a run leaves it so.
    private static let signals: [Int32] = {
      var action = sigaction()
      sigaction(SIGINT, nil, &action)
      let isIgnored = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
      return [SIGTERM, SIGUSR1] + (isIgnored ? [] : [SIGINT])
    }()

    @Test(arguments: signals) func aProcessAloneStops(_ signal: Int32) throws {
      let (status, errors) = try stop { _, ranks in for rank in ranks { kill(rank, signal) } }
      #expect(status == 75)
      #expect(errors.hasPrefix("dtrain: stopped as asked after step \(try newestStep()) of 300000; "))
      let program = try Launch.program()
      #expect(errors.hasSuffix("; go on with: \(program) train --progress none --quiet --run-dir run --resume auto\n"))
      #expect(!FileManager.default.fileExists(atPath: folder.path("run/lock")))
      try expectAdviceToGoOn(errors)
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"), arguments: [SIGTERM, SIGUSR1])
    func aSignalToOneRankStopsAll(_ signal: Int32) throws {
      let (status, errors) = try stop(ranks: 3) { _, ranks in if ranks.count == 3 { kill(ranks[1], signal) } }
      #expect(status == 75)
      #expect(errors.contains("dtrain: stopped as asked after step \(try newestStep()) of 300000; "))
      #expect(errors.contains("; go on with: mpirun -n 3 "))
      try expectAdviceToGoOn(errors)
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func theLauncherHandsTheRequestOn() throws {
      #expect(try stop(ranks: 2) { launcher, _ in if let launcher { kill(launcher, SIGUSR1) } }.status == 75)
      try expectToGoOn()
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed"))
    func whatTheLauncherEndsIsSafeBefore() throws {
      let (status, _) = try stop(ranks: 2) { launcher, _ in if let launcher { kill(launcher, SIGTERM) } }
      // mpirun's own, whatever the ranks answer.
      #expect(status == 1)
      try expectToGoOn()
    }

    @Test func aSecondJobInTheFolderIsRefused() throws {
      var second: Execution?
      let (status, _) = try stop { _, ranks in
        second = try? Launch(folder: folder.url).run(arguments + ["--resume", "auto"])
        for rank in ranks { kill(rank, SIGTERM) }
      }
      #expect(status == 75)
      let refused = try #require(second)
      refused.expectOrderlyEnd(73)
      #expect(refused.errors.contains("is writing into this run directory"))
    }

    @Test func aJobThatWasKilledIsNoObstacle() throws {
      _ = try stop(["checkpoint.every_steps=1"]) { _, ranks in
        for _ in 0..<500 where !hasCheckpoint { usleep(20_000) }
        for rank in ranks { kill(rank, SIGKILL) }
      }
      #expect(FileManager.default.fileExists(atPath: folder.path("run/lock")))
      try expectToGoOn()
    }
  }
}
