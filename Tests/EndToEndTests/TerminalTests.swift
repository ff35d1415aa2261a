import Foundation
import Testing

extension EndToEnd {
  /// The line of progress, as terminals show it.
  @Suite(.enabled(if: Terminals.arePossible, "tmux is not installed")) struct TerminalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let endless =
      ["train", "--run-dir", "run", "training.epochs=1000000", "evaluation.every_epochs=1000000"]
      + ["checkpoint.every_epochs=0", "reporting.tensorboard=false"] + ShortRun.settings

    /// Nothing of a bar may be done yet.
    private static func hasBar(_ line: Substring) -> Bool { line.contains("━") || line.contains("─") }

    /// What is seen after a while: the lines with the count of steps.
    private func progress(
      _ terminal: Terminals, until isSeen: ([Substring]) -> Bool = { !$0.isEmpty }
    ) throws -> [Substring] {
      for _ in 0..<300 {
        let lines = try terminal.lines().filter { $0.contains("/3000000") }
        if isSeen(lines) { return lines }
        usleep(100_000)
      }
      Issue.record("\(try terminal.lines())")
      return []
    }

    @Test(arguments: [40, 80, 200]) func oneLineThatFits(_ columns: Int) throws {
      let terminal = try Terminals(columns: columns, Self.endless, folder: folder.url)
      defer { terminal.end() }
      let first = try progress(terminal)
      let later = try progress(terminal) { $0 != first && !$0.isEmpty }
      #expect(later.count == 1 && later[0].count < columns)
      #expect(later[0].contains("loss "))
      #expect(later[0].contains("images/s") == (columns > 80))
      // Whether 80 columns leave room for a bar depends on how many digits the steps have.
      #expect(columns == 80 || Self.hasBar(later[0]) == (columns > 80), "\(later)")
    }

    @Test func itFollowsTheWindow() throws {
      let terminal = try Terminals(columns: 200, Self.endless, folder: folder.url)
      defer { terminal.end() }
      _ = try progress(terminal)
      try terminal.resize(60)
      #expect(try progress(terminal) { $0.count == 1 && !$0[0].contains("images/s") && $0[0].count > 20 }.count == 1)
    }

    @Test func aTerminalThatRewritesNothingGetsPlainLines() throws {
      let terminal = try Terminals(columns: 100, Self.endless, folder: folder.url, environment: ["TERM=dumb"])
      defer { terminal.end() }
      #expect(try progress(terminal).allSatisfy { !Self.hasBar($0) && $0.hasPrefix("epoch ") })
    }

    /// mpirun gives rank 0 a terminal without a size: what counts is where mpirun itself writes.
    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func underMPIRunToo() throws {
      let terminal = try Terminals(columns: 140, Self.endless, folder: folder.url, ranks: 2)
      defer { terminal.end() }
      let first = try progress(terminal)
      let later = try progress(terminal) { $0 != first && !$0.isEmpty }
      #expect(later.count == 1 && Self.hasBar(later[0]))

      let toFile = try Launch(ranks: 2, folder: folder.url).run(
        ["train", "--max-steps", "3", "--run-dir", "short"] + ShortRun.settings)
      toFile.expectOrderlyEnd(0)
      #expect(!toFile.output.contains("\u{1B}") && !toFile.output.replacing("\r\n", with: "\n").contains("\r"))
      #expect(toFile.output.contains("epoch 1/20  step 1/3"))
    }
  }

  @Suite struct MessageTests {
    private func messages(_ text: String) throws -> [[String: Any]] {
      try text.split(whereSeparator: \.isNewline).map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
      }
    }

    @Test func everythingIsSaidAsJSON() throws {
      let folder = try TemporaryFolder()
      let run = try Launch(folder: folder.url).run(
        ["train", "--max-steps", "3", "--log-format", "json", "--verbose", "--run-dir", "run", "--resume", "auto"]
          + ["--progress", "line", "--trace", "trace.json"] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      let output = try messages(run.output)
      #expect(output.contains { ($0["message"] as? String)?.hasPrefix("weights digest ") == true })
      #expect(output.contains { ($0["message"] as? String)?.hasPrefix("step 3  epoch 1  loss ") == true })
      #expect(output.contains { ($0["message"] as? String)?.hasPrefix("timeline trace.json") == true })
      for message in output {
        #expect(message["level"] as? String == "info" && message["rank"] as? Int == 0)
        #expect((message["time"] as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
      }
      #expect(try messages(run.errors).map { $0["level"] as? String } == ["warning"])
    }

    @Test(arguments: [
      ["train", "--log-format", "json", "seed=x"], ["train", "--log-format=json", "--nonsense"],
      ["train", "--log-format", "json", "dataset.path=/nowhere"],
    ])
    func errorsToo(_ arguments: [String]) throws {
      let run = try Launch().run(arguments)
      #expect(run.status != 0 && run.output.isEmpty)
      let errors = try messages(run.errors)
      #expect(errors.count == 1 && errors[0]["level"] as? String == "error")
      #expect((errors[0]["message"] as? String)?.hasPrefix("dtrain: ") == true)
    }

    @Test func verboseSaysHowTheWorkIsShared() throws {
      let folder = try TemporaryFolder()
      let arguments = ["train", "--max-steps", "2", "--replicas", "3", "--run-dir"]
      let run = try Launch(folder: folder.url).run(arguments + ["a", "--verbose"] + ShortRun.settings)
      run.expectOrderlyEnd(0)
      for rank in 0..<3 { #expect(run.line("  rank \(rank) on ") != nil) }
      #expect(run.line("step 1  epoch 1  loss ") != nil && run.line("step 2  ") != nil)
      let plain = try Launch(folder: folder.url).run(arguments + ["b"] + ShortRun.settings)
      #expect(plain.line("step 1  ") == nil && plain.line("  rank 0 on") == nil)
    }
  }
}

/// A terminal of its own, which tmux keeps.
struct Terminals {
  static let arePossible = Launch.find("tmux") != nil

  private let socket: String
  private let folder: URL

  /// Starts the program in a terminal of so many columns.
  init(
    columns: Int, _ arguments: [String], folder: URL, ranks: Int? = nil, environment: [String] = []
  ) throws {
    socket = folder.appending(path: "tmux").path
    self.folder = folder
    let program = try Launch.program()
    let words =
      ["env", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_rmaps_base_oversubscribe=1"]
      + ["OMPI_MCA_hwloc_base_binding_policy=none", "LC_ALL=C.UTF-8"] + environment
      + (ranks.map { ["mpirun", "-n", "\($0)"] } ?? []) + [program] + arguments
    let command = words.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
    try tmux(
      "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "24", "-c", folder.path,
      "exec timeout --foreground 60 \(command)")
  }

  func lines() throws -> [Substring] {
    try tmux("capture-pane", "-p").split(separator: "\n").map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  func resize(_ columns: Int) throws { try tmux("resize-window", "-x", "\(columns)", "-y", "24") }

  func end() { _ = try? tmux("kill-server") }

  @discardableResult private func tmux(_ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    // The server that tmux leaves behind must not keep what Foundation hands on: it would take that for tmux itself.
    let closing = #"for f in /proc/self/fd/*; do n=${f##*/}; [ $n -le 2 ] || eval "exec $n>&-"; done; exec tmux "$@""#
    process.executableURL = Launch.find("bash")
    process.arguments = ["-c", closing, "tmux", "-S", socket] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8", "TERM": "xterm"]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.runWithoutBlockedSignals()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
