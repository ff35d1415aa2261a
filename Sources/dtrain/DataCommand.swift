import Arguments
import Checkpoints
import Failures
import Reporting
import Training

/// `dtrain data`.
enum DataCommand: Subcommand {
  private static let preview = Option(
    "preview", placeholder: "FILE.png",
    help: "write a picture of what training sees: a row a sample, first as it is, then its copies in "
      + "\(AugmentationPreview.copies) epochs, as augmentation.… makes them")
  private static let count = Option("count", in: 1...1000, help: "with --preview: of N samples, from the first on (8)")
  private static let epoch = Option(
    "epoch", in: 1...1_000_000, help: "with --preview: the epoch of the first copies, from 1 (1)")

  static let syntax = CommandSyntax(
    name: "data", summary: "what a data set holds, and what training sees of it",
    discussion: "Prints the shape of the images, the samples of each class, the files and a digest of the samples, or "
      + "writes a picture of them.",
    options: [SettingsArguments.config, preview, count, epoch], overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain data", "what MNIST holds, and where it is"),
      Example("dtrain data --preview seen.png augmentation.rotation=15 augmentation.elastic=1", "turned and bent"),
    ],
    exitCodes: [
      .success, .usage, .badData, .noInput, .unavailable, .osError, .cannotCreate, .inputOutput, .noPermission,
      .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    let (settings, _, _) = try SettingsArguments.load(arguments)
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    guard let path = arguments[preview] else {
      guard arguments[count] == nil, arguments[epoch] == nil else {
        throw Failure(.usage, "--count and --epoch are for a picture", remedy: "add --preview FILE.png")
      }
      let output = TextOutput()
      for line in try DatasetSummary(of: settings).lines { output.writeLine(line) }
      return try output.finish()
    }
    try AtomicFile.probe(for: path)
    try AugmentationPreview.sheet(of: settings, count: arguments[count] ?? 8, epoch: (arguments[epoch] ?? 1) - 1)
      .write(to: path)
  }
}
