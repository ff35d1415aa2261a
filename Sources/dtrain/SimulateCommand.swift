import Arguments
import Checkpoints
import Configuration
import Failures
import Reporting
import Simulation
import Training

/// `dtrain simulate`.
enum SimulateCommand: Subcommand {
  static let syntax = CommandSyntax(
    name: "simulate", summary: "predict how training grows with ranks that are not there",
    discussion:
      "Predicts images per second, efficiency, where a step's time goes, memory and the time of a training, from figures "
      + "that dtrain scale and dtrain bench allreduce have measured, or that options give. Each rank's computing is "
      + "drawn, and the all-reduce goes message by message in the form that the real one takes for the ranks and bytes. "
      + "Where nodes fail it recommends how often to write a checkpoint. Prints tables, and writes simulation.csv, "
      + "simulation.json and pictures (throughput.svg, efficiency.svg, step.svg; time.svg, loss.svg, interval.svg).\n"
      + "The figures are fitted by least squares; each can be given by an option, which wins over the files. The network "
      + "of the settings is the one that was measured; another one is taken to do as many operations a second.\n"
      + "The columns of simulation.csv, and of each of the runs in simulation.json:\n"
      + SimulationReport.fields.map { "\($0.name): \($0.meaning)." }.joined(separator: "\n"),
    options: SimulationArguments.options + [SettingsArguments.config, NetworkSettings.imageSize],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example(
        "dtrain simulate --ranks 1,8,64 --batch 6400 --images-per-second 3600 --latency-us 20 --bandwidth-gbit 10",
        "what 64 nodes with a core each would do over a link of 10 Gbit/s, from a core's own speed"),
      Example(
        "dtrain simulate --scale scaling/scale.json --latency-us 20 --bandwidth-gbit 10 --weak --batch 100",
        "up to 1024 ranks with a batch of 100 each, from what was measured here"),
      Example(
        "dtrain simulate --scale scaling/scale.json --allreduce two.json,four.json --ranks 1,2,4,8 --ranks-per-node 8",
        "8 ranks on this node, beside what was measured"),
      Example(
        "dtrain simulate --network resnet50 --images-per-second 400 --latency-us 5 --bandwidth-gbit 100 --batch 32 --weak "
          + "--epochs 90 --samples 1281167 --mtbf-hours 8760 --checkpoint-seconds 20 --restart-seconds 120",
        "the time of a training on nodes that fail once a year, and how often to write checkpoints"),
    ],
    exitCodes: [
      .success, .usage, .badData, .noInput, .cannotCreate, .inputOutput, .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    let plan = try SimulationArguments.plan(arguments)
    let folder = arguments[SimulationArguments.output] ?? "simulation"
    let files = ["\(folder)/simulation.csv", "\(folder)/simulation.json"]
    for path in files { try AtomicFile.probe(for: path) }
    let report = try plan.run()
    try AtomicFile.write(report.csv, to: files[0])
    try AtomicFile.write(report.json.encoded + "\n", to: files[1])
    for picture in report.pictures { try AtomicFile.write(picture.text, to: "\(folder)/\(picture.name)") }
    let output = TextOutput()
    for line in report.lines { output.writeLine(line) }
    output.writeLine("\nfolder \(folder)")
    try output.finish()
  }
}
