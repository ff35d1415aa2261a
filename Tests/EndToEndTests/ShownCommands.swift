import Foundation

/// What the texts for readers show: commands, usages and code, each taken from its fenced block.
enum ShownCommands {
  struct Block {
    let file: String
    let language: String
    let lines: [String]
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let walks = "Sources/DistributedTraining/DistributedTraining.docc/"
  static let files =
    ["README.md", "CONTRIBUTING.md"]
    + ["YourFirstRun.md", "YourFirstCluster.md", "YourOwnNetwork.md"].map { walks + $0 }

  static func text(_ file: String) throws -> String {
    try String(contentsOf: root.appending(path: file), encoding: .utf8)
  }

  static func blocks(in file: String) throws -> [Block] {
    var blocks: [Block] = []
    var open: (language: String, lines: [String])?
    for line in try text(file).split(separator: "\n", omittingEmptySubsequences: false) {
      let isFence = line.drop { $0 == " " }.hasPrefix("```")
      switch (isFence, open) {
      case (true, let block?):
        blocks.append(Block(file: file, language: block.language, lines: block.lines))
        open = nil
      case (true, nil): open = (String(line.drop { $0 == " " }.dropFirst(3)), [])
      case (false, _): open?.lines.append(String(line))
      }
    }
    return blocks
  }

  /// Shell commands, each in one line, without comments; those that describe a usage apart.
  static func all() throws -> (commands: [String], usages: [String]) {
    var (commands, usages): ([String], [String]) = ([], [])
    for block in try files.flatMap(blocks) where ["sh", "bash", "console"].contains(block.language) {
      let text = block.lines.joined(separator: "\n")
      let isUsage = text.contains("[--")
      // A command goes on behind a backslash, a usage in an indented line.
      let lines = text.replacing("\\\n", with: " ").replacing(isUsage ? "\n  " : "\u{0}", with: " ")
      for line in lines.split(separator: "\n") {
        let words = line.prefix(upTo: line.firstRange(of: " #")?.lowerBound ?? line.endIndex)
          .split(separator: " ").joined(separator: " ")
        guard !words.isEmpty, !words.hasPrefix("#") else { continue }
        if isUsage { usages.append(words) } else if !commands.contains(words) { commands.append(words) }
      }
    }
    return (commands, usages)
  }

  /// Commands that this test cannot run, where they are run instead, and what stands there then.
  static let elsewhere: [(command: String, file: String, text: String)] = [
    ("launch/test.sh", ".ci/run", "launch/test.sh"),
    // What the doctor finds is the machine's; the tests stage it.
    ("dtrain doctor -n 4", "Tests/EndToEndTests/DoctorTests.swift", #"["-n", "4""#),
    (
      "dtrain doctor -n 16 --hostfile hosts --run-dir /shared/runs/first --json",
      "Tests/EndToEndTests/DoctorTests.swift", #""--hostfile""#
    ),
    // Several hosts, a batch system, a debugger and another program are needed.
    ("launch/cluster.sh --hostfile hosts --check", "launch/cluster-trial.sh", "--check"),
    (
      "launch/cluster.sh --hostfile hosts --copy-to /opt/dtrain -- train --run-dir /shared/runs/first seed=1",
      "launch/cluster-trial.sh", "--copy-to"
    ),
    ("sbatch --nodes=2 --ntasks-per-node=4 launch/slurm.sbatch seed=1", "launch/slurm-trial.sh", "launch/slurm.sbatch"),
    ("launch/debug.sh rank 1 2 --max-steps 3", "Tests/EndToEndTests/DebuggerTests.swift", #""rank", "1", "2""#),
    (
      "launch/debug.sh --command 'breakpoint set --name adamUpdate' --command run --command bt replicas 3 --max-steps 3",
      "Tests/EndToEndTests/DebuggerTests.swift", "breakpoint set"
    ),
    // The network is needed, and a home folder.
    ("python3 -m venv ~/torch", "launch/python-tools.sh", "python3 -m venv"),
    ("~/torch/bin/pip install safetensors numpy", "Tests/Interchange/requirements.txt", "safetensors"),
    (
      "~/torch/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu", "launch/torch.sh",
      "--index-url https://download.pytorch.org/whl/cpu"
    ),
    ("tensorboard --logdir runs", "Tests/Interchange/events.py", "tensorboard.backend"),
  ]
}
