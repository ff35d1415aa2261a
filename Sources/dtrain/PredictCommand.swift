import Arguments
import Checkpoints
import Configuration
import Datasets
import Failures
import Images
import NeuralNetwork
import Reporting
import Training
import WeightExchange

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `dtrain predict`.
enum PredictCommand: Subcommand {
  private static let weights = Option(
    "weights", placeholder: "FILE",
    help: "safetensors, also a checkpoint, or .npz, or the book's .pkl (default: those of the newest run in runs/)")
  private static let json = Option(
    "json", placeholder: "FILE", help: "also write the answers and probabilities, as one JSON object")
  private static let show = Option<String>(
    "show", placeholder: "FILE.png", expectation: "a name that ends in .png",
    help: "also write what the network saw: each picture as it was cut out, scaled and centred",
    read: { $0.hasSuffix(".png") && $0.utf8.count > 4 ? $0 : nil })

  static let syntax = CommandSyntax(
    name: "predict", summary: "which digit a picture of yours shows",
    discussion:
      "Takes PNG pictures of any size, depth and color, each of one digit, dark on light or light on dark, and "
      + "makes of them what MNIST's images are: the ink, 20 pixels on its longer side, centred by mass in 28x28 pixels.",
    options: [weights, json, show, NetworkSettings.config],
    operands: [Operand("IMAGE.png", .atLeastOne, help: "a picture of one digit")],
    overrides: SettingsArguments.overridesHelp,
    examples: [
      Example("dtrain predict seven.png", "by the weights of the newest run"),
      Example("dtrain predict --weights deep_convnet_params.pkl *.png --show seen.png", "by the book's"),
    ],
    exitCodes: [
      .success, .usage, .badData, .noInput, .unavailable, .cannotCreate, .inputOutput, .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    guard (Ranks.launchedRank ?? 0) == 0 else { return }
    try ProcessorCheck.verify()
    for path in [arguments[json], arguments[show]].compactMap({ $0 }) { try AtomicFile.probe(for: path) }
    guard let path = arguments[weights] ?? RunDirectory.newestWeights() else {
      throw Failure(
        .noInput, "no run in the folder runs has left weights", remedy: "train first, or name them by --weights FILE")
    }
    let file = try WeightsFile.read(path)
    let settings = try NetworkSettings.load(arguments, of: file, path)
    var images: [[UInt8]] = []
    for name in arguments.operands {
      let picture = try GrayPicture(reading: name)
      images.append(
        try DigitPicture.normalized(
          width: picture.width, height: picture.height, grays: picture.grays, opacities: picture.opacities, from: name))
    }
    let side = DigitPicture.side
    let network = try settings.makeNetwork(
      for: ImageShape(channels: 1, height: side, width: side), weights: file, from: path)
    let predictions = Predictions(images, by: network)
    let origin = Origin(path, file, settings)
    if let target = arguments[json] { try writeJSON(predictions, arguments.operands, origin, to: target) }
    if let target = arguments[show] { try sheet(of: images).write(to: target) }
    if let warning = origin.warning {
      TextOutput(descriptor: STDERR_FILENO, name: "standard error").writeLine("\(Program.name): \(warning)")
    }
    let output = TextOutput()
    output.writeLine(origin.line)
    for (index, name) in arguments.operands.enumerated() {
      for line in lines(name, predictions.probabilities(of: index), origin.classNames) { output.writeLine(line) }
    }
    try output.finish()
  }

  /// Which weights answer, and what they were trained on, as far as their file says.
  private struct Origin {
    let path: String
    let dataset: String?
    let step: Int?

    init(_ path: String, _ file: SafetensorsFile, _ settings: Settings) {
      self.path = path
      dataset = file.configuration == nil ? nil : settings.dataset.name.rawValue
      step = file.step
    }

    /// What the classes are called, by label; empty where they are digits.
    var classNames: [String] { dataset.map(DatasetCatalog.classNames) ?? [] }

    var line: String {
      let training = [dataset.map { "trained on \($0)" }, step.map { "step \($0)" }].compactMap { $0 }
      return "weights \(path)" + (training.isEmpty ? "" : ", " + training.joined(separator: ", "))
    }

    var warning: String? {
      guard let dataset, !classNames.isEmpty else { return nil }
      return
        "\(path): trained on \(dataset), not on digits: its classes are the answers, and the pictures are prepared as "
        + "digits are"
    }
  }

  // MARK: - What is written

  private static let barColumns = 30

  /// The answer, and a bar for the probability of each class.
  private static func lines(_ name: String, _ probabilities: [Double], _ classNames: [String]) -> [String] {
    let terminal = Terminal.detect(descriptor: STDOUT_FILENO)
    let mark = terminal?.hasUnicode ?? false ? "█" : "#"
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    func title(_ label: Int) -> String { label < classNames.count ? classNames[label] : "\(label)" }
    var table = TextTable([.right, .right, .left])
    table.add(["class", "probability"])
    for (label, probability) in probabilities.enumerated() {
      let length = Int((probability * Double(barColumns)).rounded())
      table.add([title(label), percent(probability), String(repeating: mark, count: length)])
    }
    return ["\(name): \(title(best)) (\(percent(probabilities[best])))"] + table.lines
  }

  private static func percent(_ probability: Double) -> String {
    NumberText.fixed(probability * 100, decimals: 1) + " %"
  }

  private static func writeJSON(
    _ predictions: Predictions, _ names: [String], _ origin: Origin, to path: String
  ) throws(Failure) {
    let images = names.enumerated().map { index, name in
      JSONValue.object([
        .init("image", .text(name)), .init("answer", .integer(predictions.answer(of: index).label)),
        .init("probabilities", .array(predictions.probabilities(of: index).map { .number($0) })),
      ])
    }
    let training = [
      origin.dataset.map { JSONValue.Member("data", .text($0)) }, origin.step.map { .init("step", .integer($0)) },
    ].compactMap { $0 }
    let value = JSONValue.object(
      [.init("weights", .text(origin.path))] + training + [.init("images", .array(images))])
    try AtomicFile.write(value.encoded + "\n", to: path)
  }

  private static func sheet(of images: [[UInt8]]) -> PNGFile {
    let columns = min(8, images.count)
    var sheet = ImageSheet(
      rows: (images.count + columns - 1) / columns, columns: columns, imageWidth: DigitPicture.side,
      imageHeight: DigitPicture.side, zoom: 6)
    for (index, image) in images.enumerated() { sheet.draw(image, row: index / columns, column: index % columns) }
    return sheet.picture
  }
}
