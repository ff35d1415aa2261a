import Foundation
import Testing

extension EndToEnd {
  /// README, CONTRIBUTING and the library's walks show nothing that does not work.
  @Suite struct ShownCommandsTests {
    /// Stands in the program's place: has few digits drawn instead of reading MNIST, and makes few steps.
    private static let shortening = """
      #!/usr/bin/env bash
      set -euo pipefail
      subcommand=train
      if [[ ${1:-} =~ ^[a-z]+$ ]]; then subcommand=$1; fi
      data=(dataset.name=synthetic-digits dataset.test_samples=60)
      case $subcommand in
        train | launch)
          if [[ $* != *--max-steps* ]]; then set -- "$@" --max-steps 3; fi
          if [[ $* == *validation_samples* ]]; then set -- "$@" dataset.validation_samples=20; fi
          set -- "$@" "${data[@]}" dataset.training_samples=80 training.batch=33 training.microbatch=4
          ;;
        data) set -- "$@" "${data[@]}" dataset.training_samples=80 ;;
        scale) set -- "$@" "${data[@]}" dataset.training_samples=400 ;;
        evaluate) set -- "$@" "${data[@]}" ;;
      esac
      exec "$DTRAIN_EXECUTABLE" "$@"
      """
    /// Stands in the package manager's place: the program is built already.
    private static let building = """
      #!/usr/bin/env bash
      case "$1 ${2:-} ${3:-}" in
        'run dtrain'*) shift 2 ;;
        'run --skip-build dtrain') shift 3 ;;
        'build --product dtrain') exit 0 ;;
        'build --show-bin-path '*) dirname "$0"; exit ;;
        *) exec "$SWIFT" "$@" ;;
      esac
      exec dtrain "$@"
      """

    private let folder: TemporaryFolder

    /// What the commands take for granted: two runs, a picture, the book's weights, a file of hosts.
    init() throws {
      folder = try TemporaryFolder()
      let files = FileManager.default
      for (name, text) in ["dtrain": Self.shortening, "swift": Self.building] {
        try files.createDirectory(atPath: folder.path("bin"), withIntermediateDirectories: true)
        try text.write(toFile: folder.path("bin/" + name), atomically: true, encoding: .utf8)
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("bin/" + name))
      }
      for name in ["configs", "launch"] {
        try files.copyItem(atPath: ShownCommands.root.appending(path: name).path, toPath: folder.path(name))
      }
      try "localhost slots=8\n".write(toFile: folder.path("hosts"), atomically: true, encoding: .utf8)
      for command in [
        "dtrain --run-dir runs/first", "dtrain --run-dir runs/second", "dtrain data --preview photo.png --count 1",
        "dtrain convert runs/first/weights.safetensors deep_convnet_params.pkl",
      ] {
        try shell(command).expectOrderlyEnd(0)
      }
    }

    private func shell(_ command: String) throws -> Execution {
      var launch = Launch(folder: folder.url)
      launch.through = ["bash", "-c", command]
      launch.isWhole = true
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      launch.environment = [
        "DTRAIN_EXECUTABLE": try Launch.program(), "SWIFT": try #require(Launch.find("swift")).path,
        "PATH": "\(folder.path("bin")):\(path)", "DTRAIN_MNIST_MIRRORS": "http://localhost:9",
      ]
      return try launch.run([])
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func everyCommandRuns() throws {
      let commands = try ShownCommands.all().commands
      #expect(commands.count > 40)
      for command in commands where !ShownCommands.elsewhere.contains(where: { $0.command == command }) {
        // A run that begins needs a folder of its own, and what another command has written is written again.
        let words = command.split(separator: " ")
        if let place = words.firstIndex(of: "--run-dir"), !words.contains("--resume") {
          try? FileManager.default.removeItem(atPath: folder.path(String(words[place + 1])))
        }
        if command.contains(" convert ") { try? FileManager.default.removeItem(atPath: folder.path(String(words[3]))) }
        let run = try shell(command)
        #expect(run.hasExited && run.status == 0, "\(command)\n\(run.output)\(run.errors)")
      }
    }

    /// Where MNIST can be had nowhere launch/train.sh draws digits, and a run that goes on keeps them unasked.
    @Test(
      .enabled(
        if: Launch.isMPIPossible && !FileManager.default.fileExists(atPath: "/usr/share/datasets/mnist"),
        "mpirun is not installed, or MNIST is"))
    func theScriptDrawsDigitsAndGoesOnWithThem() throws {
      try "#!/bin/sh\nexec \"$DTRAIN_EXECUTABLE\" \"$@\"\n"
        .write(toFile: folder.path("bin/dtrain"), atomically: false, encoding: .utf8)
      let settings = ShortRun.settings.dropFirst().map { "'\($0)'" }.joined(separator: " ")
      let start = "DTRAIN_DATA= launch/train.sh -n 2 --quiet --run-dir runs/drawn"
      for steps in [2, 4] {
        let run = try shell("\(start) --resume auto --max-steps \(steps)" + (steps == 2 ? " \(settings)" : ""))
        run.expectOrderlyEnd(0)
        #expect(run.output.contains("synthetic-digits"))
        #expect(run.errors.contains("NOT MNIST"))
        #expect(run.errors.contains("MNIST CAN BE HAD NOWHERE") == (steps == 2))
      }
      // What is advised is the script again, and works as it is.
      let refused = try shell("\(start) --max-steps 5 dataset.name=synthetic-digits")
      #expect(refused.status == 73, "\(refused.errors)")
      let advice = "launch/train.sh -n 2 train --max-steps 5 --quiet --run-dir runs/drawn --resume auto"
      #expect(refused.errors.contains("go on with it: \(advice)\n"), "\(refused.errors)")
      try shell("DTRAIN_DATA= \(advice)").expectOrderlyEnd(0)
    }

    @Test func whatIsRunElsewhereIsShownAndRun() throws {
      let commands = try ShownCommands.all().commands
      for (command, file, text) in ShownCommands.elsewhere {
        #expect(commands.contains(command), "\(command) is shown nowhere: take it off the list")
        #expect(try ShownCommands.text(file).contains(text), "\(file) does not run \(command) any more")
      }
    }

    @Test func everyUsageNamesOptionsThatThereAre() throws {
      let usages = try ShownCommands.all().usages
      #expect(usages.count > 10)
      for usage in usages {
        let words = usage.split { " []|".contains($0) }
        let subcommand = String(try #require(words.dropFirst().first))
        let help = try Launch.run(subcommand, "--help")
        help.expectOrderlyEnd(0)
        let known = Set(help.output.split { " ,\n[]|=".contains($0) })
        for option in words where option.hasPrefix("-") && option != "--" {
          #expect(known.contains(option), "\(usage): there is no \(option)")
        }
      }
      let shown = Set(usages.compactMap { $0.split(separator: " ").dropFirst().first })
      let listed = try Launch.run("--help").output
      for subcommand in shown { #expect(listed.contains("\n  \(subcommand) "), "there is no dtrain \(subcommand)") }
    }

    @Test func everySubcommandHasExamplesInItsHelp() throws {
      let usages = try ShownCommands.all().usages
      for subcommand in Set(usages.compactMap { $0.split(separator: " ").dropFirst().first }) {
        let help = try Launch.run(String(subcommand), "--help").output
        #expect(help.contains("\nExamples"), "dtrain \(subcommand) --help")
      }
    }

    /// What the walk says a user writes is what Tests/LibraryUser has, which launch/library-trial.sh builds and runs.
    @Test func theWalkShowsTheProgramThatIsRun() throws {
      let shown = try ShownCommands.blocks(in: ShownCommands.walks + "YourOwnNetwork.md")
        .filter { $0.language == "swift" }.map { $0.lines.joined(separator: "\n") }
      let sources = "Tests/LibraryUser/Sources/LibraryUser/"
      let program = try ShownCommands.text(sources + "main.swift")
      let layer = try ShownCommands.text(sources + "ParametricReLU.swift")
      #expect(shown.joined(separator: "\n\n") + "\n" == program + "\n" + layer)
      #expect(program.split(separator: "\n").count <= 40)
    }
  }
}
