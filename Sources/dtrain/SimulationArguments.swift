import Arguments
import Configuration
import Failures
import Simulation
import Training

/// How the command line says what to simulate.
enum SimulationArguments {
  private enum NetworkName: String, CaseIterable, Sendable {
    case configured, vgg16, googlenet, resnet50

    var published: PublishedNetwork? { PublishedNetwork(rawValue: rawValue) }
  }

  private static let mostRanks = 4096

  private static func counts(_ name: String, letter: Character? = nil, help: String) -> Option<[Int]> {
    Option<[Int]>(
      name, letter: letter, placeholder: "N,…",
      expectation: "a list of different numbers from 1 to \(mostRanks), such as 1,2,4", help: help,
      read: { text in
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { Int($0) }
        let isGood =
          numbers.count == words.count && Set(numbers).count == numbers.count
          && numbers.allSatisfy((1...mostRanks).contains)
        return isGood ? numbers : nil
      })
  }

  private static func number(
    _ name: String, _ placeholder: String, above: Double? = nil, from least: Double = 0, to most: Double = .infinity,
    help: String
  ) -> Option<Double> {
    let least = above ?? least
    let expectation =
      (above == nil ? "a number of at least " : "a number above ") + trimmed(least)
      + (most.isFinite ? " and at most \(trimmed(most))" : "")
    return Option<Double>(
      name, placeholder: placeholder, expectation: expectation, help: help,
      read: { text in
        guard let value = Double(text), value.isFinite, value <= most else { return nil }
        return value > least || (above == nil && value == least) ? value : nil
      })
  }

  private static func trimmed(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }

  private static let ranks = counts(
    "ranks", letter: "n", help: "the numbers of ranks (default: powers of two up to 1024 that the batch is enough for)")
  private static let weak = Flag("weak", help: "the batch is a rank's (otherwise that of all ranks together)")
  private static let batch = Option(
    "batch", in: 1...1 << 30, help: "samples of a step (default: training.batch); see --weak")
  private static let network = Option<NetworkName>(
    choice: "network",
    help: "the network: that of the settings, or one that others have published (default: configured)")
  private static let parameters = Option(
    "parameters", in: 1...1 << 40, help: "of another network; with --operations or --images-per-second")
  private static let operations = Option(
    "operations", in: 1...1 << 60, help: "of another network, for an image forward, a multiply-add counting as two")
  private static let scale = Option(
    "scale", placeholder: "FILE", help: "the scale.json of dtrain scale, with the settings that are given here")
  private static let allReduce = Option<[String]>(
    "allreduce", placeholder: "FILE,…", expectation: "a list of files",
    help: "what dtrain bench allreduce --json has written, on one node or with one rank a node",
    read: { text in
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return names.allSatisfy { !$0.isEmpty } ? names : nil
    })
  private static let fitRanks = counts(
    "fit-ranks", help: "of --scale take these numbers of ranks alone; the others stand beside what is predicted")
  private static let ranksPerNode = Option(
    "ranks-per-node", in: 1...mostRanks, help: "which share its link (default: 1)")
  private static let cores = Option(
    "cores-per-node", in: 1...1 << 16, help: "which its ranks share (default: those of --scale, or enough)")
  private static let steps = Option("steps", in: 1...1_000_000, help: "to simulate at each number (default: 100)")
  private static let seed = Option("seed", in: 0...Int.max, help: "of what is drawn (default: 0)")
  private static let stragglerProbability = number(
    "straggler-probability", "P", to: 1, help: "that a rank is slow in a step (default: 0)")
  private static let stragglerFactor = number(
    "straggler-factor", "F", from: 1, help: "how many times as long it computes then (default: 2)")
  private static let mtbf = number(
    "mtbf-hours", "H", above: 0, help: "mean time between failures of a node; with --checkpoint-seconds")
  private static let checkpointSeconds = number(
    "checkpoint-seconds", "S", above: 0, help: "of writing a checkpoint, while no rank computes")
  private static let restartSeconds = number(
    "restart-seconds", "S", help: "from a failure until training goes on from a checkpoint (default: 0)")
  private static let epochs = number(
    "epochs", "E", above: 0, help: "of a training whose time is to be told (default: those to the accuracy of --scale)")
  private static let samples = Option(
    "samples", in: 1...1 << 50, help: "of an epoch (default: those of --scale)")
  static let output = Option(
    "output", letter: "o", placeholder: "DIR", help: "where the files and pictures go (default: simulation)")
  /// One a figure of the model.
  private static let figures = CostFigure.allCases.map { figure in
    (
      figure: figure,
      option: number(figure.rawValue, "X", above: figure.isPositive ? 0 : nil, help: figure.meaning)
    )
  }

  static let options: [any OptionDeclaration] =
    [
      ranks, weak, batch, network, parameters, operations, scale, fitRanks, allReduce, ranksPerNode, cores, steps, seed,
    ] + figures.map { $0.option as any OptionDeclaration } + [
      stragglerProbability, stragglerFactor, mtbf, checkpointSeconds, restartSeconds, epochs, samples, output,
    ]

  /// - Throws: `.usage` for options that lack each other; what reading settings and files throws.
  static func plan(_ arguments: ParsedArguments) throws(Failure) -> SimulationPlan {
    let (settings, _, _) = try SettingsArguments.load(arguments)
    let measured = try configured(settings, arguments)
    let workload = try workload(arguments, configured: measured)
    let measurement = try arguments[scale].map { (path) throws(Failure) in try ScaleMeasurement.read(path) }
    let fitted = try fittedRanks(arguments, measurement)
    var allReduces: [AllReduceMeasurement] = []
    for path in arguments[allReduce] ?? [] { allReduces.append(try AllReduceMeasurement.read(path)) }
    var known = CostFit(
      scale: measurement, fittedRanks: fitted, allReduces: allReduces, measured: measured,
      gradientBytes: 4 * workload.parameters
    ).figures
    for (figure, option) in figures {
      if let value = arguments[option] { known.override(figure, value) }
    }
    let batch = arguments[batch] ?? settings.training.batch
    let microbatch = settings.training.microbatch
    let most = arguments[weak] ? 1024 : (batch + microbatch - 1) / microbatch
    var plan = SimulationPlan(
      ranks: arguments[ranks] ?? (0...10).map { 1 << $0 }.filter { $0 <= most }, batch: batch, microbatch: microbatch,
      workload: workload, measured: measured, figures: known, program: "\(Program.name) \(Program.version)")
    plan.isWeak = arguments[weak]
    plan.ranksPerNode = arguments[ranksPerNode] ?? 1
    plan.cores = arguments[cores] ?? measurement?.cores
    plan.threadsPerRank = measurement?.threadsPerRank ?? max(1, settings.training.threads)
    plan.steps = arguments[steps] ?? plan.steps
    plan.seed = UInt64(arguments[seed] ?? 0)
    plan.stragglers = Stragglers(
      probability: arguments[stragglerProbability] ?? 0, factor: arguments[stragglerFactor] ?? 2)
    plan.scale = measurement
    plan.fittedRanks = fitted
    plan.failures = try failures(arguments)
    plan.epochs = arguments[epochs]
    plan.samples = arguments[samples] ?? measurement?.trainingSamples
    if plan.epochs != nil, plan.samples == nil {
      throw Failure(.usage, "--epochs without the samples of an epoch", remedy: "give --samples, or a --scale file")
    }
    return plan
  }

  private static func configured(_ settings: Settings, _ arguments: ParsedArguments) throws(Failure) -> Workload {
    let table = NetworkTable(try settings.makeNetwork(for: NetworkSettings.imageShape(arguments)))
    return Workload(
      name: settings.model.name.rawValue, parameters: table.parameters, operations: Double(table.operations),
      source: "the settings")
  }

  private static func workload(_ arguments: ParsedArguments, configured: Workload) throws(Failure) -> Workload {
    let name = arguments[network] ?? .configured
    guard arguments[parameters] != nil || arguments[operations] != nil else {
      return name.published?.workload ?? configured
    }
    guard arguments[network] == nil else {
      throw Failure(
        .usage, "--network \(name.rawValue) has parameters and operations of its own",
        remedy: "leave out --parameters and --operations, or --network")
    }
    guard let parameters = arguments[parameters],
      arguments[operations] != nil || arguments[figures[0].option] != nil
    else {
      throw Failure(
        .usage, "another network needs --parameters, and --operations or --images-per-second",
        remedy: "give both of them")
    }
    return Workload(
      name: "another network", parameters: parameters,
      operations: arguments[operations].map(Double.init) ?? .nan, source: "the command line")
  }

  private static func fittedRanks(
    _ arguments: ParsedArguments, _ measurement: ScaleMeasurement?
  ) throws(Failure) -> Set<Int>? {
    guard let wanted = arguments[fitRanks] else { return nil }
    let known = measurement?.rows.map(\.ranks) ?? []
    guard let missing = wanted.first(where: { !known.contains($0) }) else { return Set(wanted) }
    throw Failure(
      .usage, "--fit-ranks \(missing) was not measured",
      remedy: measurement == nil
        ? "give the --scale file whose ranks are meant" : "take some of \(known.map { "\($0)" }.joined(separator: ","))"
    )
  }

  private static func failures(_ arguments: ParsedArguments) throws(Failure) -> FailureCosts? {
    guard let hours = arguments[mtbf] else {
      guard arguments[checkpointSeconds] == nil, arguments[restartSeconds] == nil else {
        throw Failure(
          .usage, "--checkpoint-seconds and --restart-seconds mean nothing where no node fails",
          remedy: "give --mtbf-hours, or leave them out")
      }
      return nil
    }
    guard let checkpoint = arguments[checkpointSeconds] else {
      throw Failure(
        .usage, "--mtbf-hours without the time of a checkpoint", remedy: "give --checkpoint-seconds")
    }
    return FailureCosts(nodeLife: hours * 3600, checkpoint: checkpoint, restart: arguments[restartSeconds] ?? 0)
  }
}
