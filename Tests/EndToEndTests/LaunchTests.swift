import Foundation
import Testing

extension EndToEnd {
  /// `dtrain launch` brings a run to its end through faults, or says why not; it leaves nothing behind.
  @Suite(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) struct LaunchTests {
    private let folder: TemporaryFolder
    private let training =
      ["train", "--quiet", "--run-dir", "run", "checkpoint.every_steps=1", "communication.timeout_seconds=4"]
      + ShortRun.settings

    /// More epochs than any of these runs comes to before it is stopped.
    private static let endless = ["training.epochs=100000"]

    init() throws { folder = try TemporaryFolder() }

    private func launch(
      _ options: [String] = [], _ more: [String] = [], ranks: Int = 3, fault: String? = nil
    ) throws -> Execution {
      try Launch(environment: fault.map { ["DTRAIN_FAULT": $0] } ?? [:], folder: folder.url)
        .run(["launch", "-n", "\(ranks)", "--pause", "0.1"] + options + ["--"] + training + more)
    }

    /// What a run prints that nothing disturbs.
    private func undisturbed(_ steps: Int) throws -> String {
      var alone = training
      alone[3] = "alone"
      return try Launch(folder: folder.url).run(alone + Self.endless + ["--max-steps", "\(steps)"]).output
    }

    private func restarts(_ run: Execution) -> [Substring] {
      run.ownErrors.filter { $0.contains("; starting again from") }
    }

    @Test func aRunThroughFaultsEndsOnTheSameWeights() throws {
      let expected = try undisturbed(12)
      for (fault, told) in [
        ("update:1:5", "rank 1 failed with code 1"), ("computation:2:6:exit", "rank 2 left without a word"),
        ("scattering:1:7:stop", "failed with code 1"), ("checkpoint:0:4", "rank 0 failed"),
        ("end:2:0", "rank 2 failed"),
      ] {
        try? FileManager.default.removeItem(atPath: folder.path("run"))
        let run = try launch([], ["--max-steps", "12"], fault: fault)
        run.expectOrderlyEnd(0)
        #expect(run.output.hasSuffix(expected), "\(fault)")
        #expect(restarts(run).count == 1, "\(fault): \(run.errors)")
        #expect(restarts(run).first?.contains(told) == true, "\(fault): \(run.errors)")
        #expect(run.ownErrors.last == "dtrain: launch: finished at start 2")
        // The rank's own words, or those of the one that waited for it.
        if !fault.hasSuffix("exit") {
          let own = fault.hasSuffix("stop") ? "waited 4 s for rank 1 in gradient exchange, step 7" : "injected fault in"
          #expect(run.errors.contains(own), "\(fault): \(run.errors)")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("run"))
        #expect(!left.contains { $0.contains("lock") }, "\(left)")
      }
    }

    /// mpirun waits without end for a daemon that was lost before it could report.
    @Test func ranksThatDoNotStartAreNoHang() throws {
      let mpirun = folder.url.appending(path: "mpirun")
      try "#!/bin/sh\nexec sleep 600\n".write(to: mpirun, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun.path)
      let path = "\(folder.url.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
      let run = try Launch(environment: ["PATH": path], folder: folder.url)
        .run(["launch", "-n", "2", "--pause", "0", "--max-restarts", "1", "--start-timeout", "0", "--"] + training)
      run.expectOrderlyEnd(1)
      #expect(restarts(run).count == 1, "\(run.errors)")
      #expect(run.ownErrors.last?.contains("gave up: the ranks did not start") == true, "\(run.errors)")
    }

    @Test func whatWouldRepeatIsNotTriedAgain() throws {
      for (more, code) in [
        (["training.batch=none"], 78), (["--nonsense"], 64), (["--replicas", "2"], 64),
        (["training.microbatch=33"], 78), (["dataset.name=mnist", "dataset.path=nowhere"], 66),
      ] as [([String], Int32)] {
        let run = try launch([], ["--max-steps", "3"] + more)
        run.expectOrderlyEnd(code)
        #expect(restarts(run).isEmpty, "\(run.errors)")
      }
    }

    @Test func anErrorThatComesBackIsGivenUp() throws {
      let run = try Launch(folder: folder.url).run(
        ["launch", "-n", "2", "--pause", "0.1", "--", "train", "--quiet", "--run-dir", "run"]
          + ["dataset.name=synthetic-digits", "optimizer.learning_rate=100"])
      run.expectOrderlyEnd(1)
      #expect(run.ownErrors.last?.hasPrefix("dtrain: gave up: ") == true)
      #expect(run.ownErrors.last?.contains("the same happened twice") == true, "\(run.errors)")
      #expect(restarts(run).count == 1)
    }

    @Test func restartsWithoutProgressAreCounted() throws {
      // A program that mpirun does not know how to start ends each job at once.
      let run = try launch(["--max-restarts", "2", "--mpirun-options=--no-such-option"])
      #expect(run.status != 0 && restarts(run).count == 2, "\(run.errors)")
      #expect(run.ownErrors.last?.contains("2 restarts in a row have brought no new checkpoint") == true)
    }

    @Test func itsOwnCommandLineIsChecked() throws {
      try "a slots=1\nb slots=x\n".write(toFile: folder.path("hosts"), atomically: true, encoding: .utf8)
      try "a slots=2\n".write(toFile: folder.path("few"), atomically: true, encoding: .utf8)
      for (options, code, told) in [
        (["--hostfile", "hosts"], 65, "hosts:2: 'slots=x'"), (["--hostfile", "few"], 64, "few has 2 slots"),
        (["--hostfile", "none"], 66, "none: there is no such file"), (["--min-ranks", "4"], 64, "--min-ranks 4"),
        (["--pause", "-1"], 64, "--pause"),
      ] as [([String], Int32, String)] {
        var words = ["launch", "-n", "3"] + options + ["--"] + training
        let run = try Launch(folder: folder.url).run(words)
        run.expectOrderlyEnd(code)
        #expect(run.errors.contains(told), "\(run.errors)")
        words = ["launch", "-n", "3", "--", "inspect"]
        try Launch(folder: folder.url).run(words).expectOrderlyEnd(64)
      }
      try Launch(folder: folder.url).run(["launch", "--"] + training).expectOrderlyEnd(64)
    }

    @Test func aFaultThatCannotBeReadIsNamed() throws {
      for text in ["", "update", "update:1", "update:-1:3", "nowhere:1:2", "update:1:2:burn", "update:1:2:exit:3"] {
        let run = try Launch(environment: ["DTRAIN_FAULT": text], folder: folder.url).run(training)
        run.expectOrderlyEnd(64)
        #expect(run.errors.contains("DTRAIN_FAULT=\(text) is no fault"))
      }
    }

    @Test func ranksThatNeverComeAreWaitedForWithAnEnd() throws {
      let program = try Launch.program()
      let run = try Launch(
        through: ["mpirun", "-n", "1", program] + training + ["communication.timeout_seconds=1"]
          + [":", "-n", "1", "sleep", "100"], folder: folder.url, isWhole: true
      ).run([])
      #expect(run.hasExited && run.status != 0 && run.status != 124)
      #expect(run.errors.contains("dtrain: rank 0: waited 5 s for the other ranks to start"), "\(run.errors)")
    }

    // MARK: - Signals to the supervisor

    /// Starts an endless run, lets the closure act on the supervisor once steps are made, and returns its end.
    private func act(_ action: (_ supervisor: pid_t) -> Void) throws -> (status: Int32, errors: String) {
      let errors = folder.url.appending(path: "errors")
      _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
      let process = try Launch(folder: folder.url).start(
        ["launch", "-n", "3", "--"] + training + Self.endless, output: FileHandle.nullDevice,
        errors: try FileHandle(forWritingTo: errors))
      while process.isRunning, newestStep == nil { usleep(20_000) }
      let children =
        try String(
          contentsOfFile: "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children",
          encoding: .utf8)
      action(try #require(pid_t(children.split(separator: " ").first ?? "")))
      process.waitUntilExit()
      return (process.terminationStatus, try String(contentsOf: errors, encoding: .utf8))
    }

    private var newestStep: Int? {
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path("run/checkpoints"))
      return names?.compactMap { Int($0.dropFirst(5).dropLast(12)) }.max()
    }

    /// Processes that work in this test's folder.
    private func processes() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "/proc").filter {
        pid_t($0) != nil
          && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")) == folder.url.path
      }
    }

    private func expectNoProcesses() throws {
      for _ in 0..<200 where try !processes().isEmpty { usleep(50_000) }
      #expect(try processes().isEmpty)
    }

    @Test(arguments: [SIGTERM, SIGUSR1]) func askedToStopItWritesTheStateAndLeavesWith75(_ signal: Int32) throws {
      let (status, errors) = try act { kill($0, signal) }
      #expect(status == 75, "\(errors)")
      let last = errors.split(separator: "\n").last { $0.hasPrefix("dtrain: ") }.map(String.init)
      let state = "the newest checkpoint is of step \(newestStep ?? 0)"
      let command = "\(try Launch.program()) launch -n 3 -- train --quiet --run-dir run --resume auto"
      #expect(last == "dtrain: stopped as asked; \(state); go on with: \(command)")
      #expect(errors.contains("dtrain: stopped as asked after step \(newestStep ?? 0) of"))
      // The ranks advise the launch as well, not mpirun.
      #expect(errors.components(separatedBy: "; go on with: \(command)").count == 3)
      try expectNoProcesses()
      let steps = (newestStep ?? 0) + 3
      let end = try Launch(
        through: ["bash", "-c", "\(command) --max-steps \(steps)"], folder: folder.url, isWhole: true
      ).run([])
      end.expectOrderlyEnd(0)
      #expect(try end.output.hasSuffix(undisturbed(steps)))
    }

    /// What an earlier run has left in the folder, whose settings nobody asked for, is not taken by a restart either.
    @Test func aRunThatBeginsAgainHasItsOwnSettings() throws {
      let expected = try undisturbed(4)
      try FileManager.default.createDirectory(atPath: folder.path("run"), withIntermediateDirectories: true)
      try "seed: 7\n".write(toFile: folder.path("run/configuration.yaml"), atomically: true, encoding: .utf8)
      let run = try launch([], Self.endless + ["--max-steps", "4"], fault: "start:1:0")
      run.expectOrderlyEnd(0)
      #expect(restarts(run).count == 1 && run.output == expected, "\(run.errors)")
    }

    @Test func howItSpeaksMayBeSaidToTheLaunch() throws {
      let run = try Launch(folder: folder.url).run(
        ["launch", "-n", "2", "--log-format", "json", "--"] + training + ["--max-steps", "2"])
      run.expectOrderlyEnd(0)
      let end = run.errors.split(separator: "\n").first { $0.contains("launch: finished") }
      #expect(end?.hasPrefix("{\"time\":") == true, "\(run.errors)")
      #expect(run.output.split(separator: "\n").allSatisfy { $0.hasPrefix("{\"time\":") }, "\(run.output)")
    }

    @Test func killedItTakesItsRanksAlong() throws {
      let (status, _) = try act { kill($0, SIGKILL) }
      #expect(status == 137 || status == SIGKILL)
      try expectNoProcesses()
      let steps = (newestStep ?? 0) + 3
      try launch([], Self.endless + ["--resume", "auto", "--max-steps", "\(steps)"]).expectOrderlyEnd(0)
    }

    @Test func aSecondOneInTheFolderIsRefused() throws {
      var second: Execution?
      let (status, _) = try act { supervisor in
        second = try? launch([], ["--resume", "auto"])
        kill(supervisor, SIGTERM)
      }
      #expect(status == 75)
      try #require(second).expectOrderlyEnd(73)
    }

    @Test func aLostMpirunIsStartedAgain() throws {
      var hasRestarted = false
      let (status, errors) = try act { supervisor in
        func children() -> Set<Substring> {
          let file = "/proc/\(supervisor)/task/\(supervisor)/children"
          return Set(((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: " "))
        }
        let first = children()
        for child in first { kill(pid_t(child) ?? 0, SIGKILL) }
        // The old ranks run on for a moment.
        for _ in 0..<3000 where children().isSubset(of: first) { usleep(20_000) }
        let step = newestStep ?? 0
        for _ in 0..<3000 where newestStep ?? 0 < step + 5 { usleep(20_000) }
        hasRestarted = newestStep ?? 0 >= step + 5
        kill(supervisor, SIGTERM)
      }
      #expect(status == 75 && hasRestarted)
      #expect(errors.contains("dtrain: launch: mpirun was ended by signal 9; starting again from the checkpoint of"))
      try expectNoProcesses()
    }
  }
}
