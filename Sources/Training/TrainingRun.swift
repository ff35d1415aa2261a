import Checkpoints
import Communication
import Configuration
import DataParallel
import Datasets
import Digests
import Failures
import NeuralNetwork
import Reporting

/// A whole run, from settings to files: what `dtrain train` does on each rank. Rank 0 alone speaks and writes.
public struct TrainingRun: Sendable {
  public var settings: Settings
  /// Where the settings come from, for the header: "configs/x.yaml, seed=1".
  public var settingsOrigin: String
  /// The file of settings, whose name a new run folder takes.
  public var configurationFile: String?
  /// Where the files of the run go; nil for a new folder in `runs`.
  public var folder: String?
  /// The program's name and version, for the header; every rank has to run the same.
  public var program: String
  /// Ends the run after this many steps.
  public var maximumSteps: Int?
  /// Where to go on; nil to begin.
  public var resume: Resume?
  /// The settings that the run has had until now, to say which are others; nil where none are known.
  public var resumedSettings: Settings?
  /// The command that has started this, to be pasted, without a run directory and a checkpoint to go on from.
  public var command = "dtrain train"
  /// Goes on with other settings than the run began with, which then ends on other bits.
  public var allowsChanges = false
  /// Asked now and then by each rank; see `Trainer.isStopRequested`.
  public var isStopRequested: @Sendable () -> Bool = { false }
  public var progress: ProgressMode
  /// Leaves the results alone on standard output.
  public var isQuiet: Bool
  /// Where each rank writes a log of its own, if anywhere.
  public var logFolder: String?
  /// The step whose gradients' digests are written down, if any.
  public var recordedStep: Int?
  /// An error made on purpose, to see it found.
  public var bitFlip: BitFlip?
  /// Says also how the work is shared, and what every step comes to.
  public var isVerbose = false
  /// How all that is written that is said.
  public var messages = MessageFormat.text
  /// Makes a record of the run from within, if set.
  public var recorder: (any RunRecorder)?

  public init(
    settings: Settings, settingsOrigin: String, configurationFile: String? = nil, program: String,
    folder: String? = nil, maximumSteps: Int? = nil, progress: ProgressMode = .auto, isQuiet: Bool = false,
    recorder: (any RunRecorder)? = nil
  ) {
    self.settings = settings
    self.settingsOrigin = settingsOrigin
    self.configurationFile = configurationFile
    self.program = program
    self.folder = folder
    self.maximumSteps = maximumSteps
    self.progress = progress
    self.isQuiet = isQuiet
    self.recorder = recorder
  }

  /// - Throws: whatever has to end the job.
  public func run(on communicator: any Communicator) throws(Failure) {
    let log = try openLog(communicator)
    do throws(Failure) { try train(communicator, log) } catch {
      log?.write(FailureLine.text(error, program: "ends", rank: nil))
      throw error
    }
    log?.write("ends well")
  }

  private func train(_ communicator: any Communicator, _ log: RankLog?) throws(Failure) {
    try communicator.agree(
      on: SHA256.of(
        "\(program)\n\(settings.agreementDigest)\nmax-steps \(maximumSteps ?? 0)\nresume \(resume?.description ?? "")\n"
          + "record \(recordedStep ?? 0)"
      ).bytes,
      what: "program or configuration", phase: Phase("agreement on the configuration"))
    let training = try settings.openDataset(.training)
    let test = try settings.openDataset(.test)
    let validation = try settings.openValidation()
    for dataset in [training, test] + (validation.map { [$0] } ?? []) {
      try communicator.agree(on: dataset.sampleDigest.bytes, what: "data set", phase: Phase("agreement on the data"))
    }
    try InjectedFault.strike(.data, rank: communicator.rank)
    let network = try settings.makeNetwork(for: training.imageShape)
    if communicator.rank == 0 { network.parameters.initialize(seed: settings.seed) }
    let trainer = try Trainer(
      network: network, makeOptimizer: { settings.makeOptimizer(for: network.parameters, count: $0) },
      training: training, test: test, validation: validation,
      schedule: settings.schedule(maximumSteps: maximumSteps, threads: settings.threads(on: communicator)),
      communicator: communicator)
    let record = try recorder?.record(network, threads: trainer.schedule.threads, communicator: communicator)
    trainer.stepObserver = record
    trainer.isStopRequested = isStopRequested
    try prepareChecks(trainer, communicator)
    (trainer.keepsPredictions, trainer.keepsGradient) = (settings.reporting.tensorboard, settings.reporting.tensorboard)
    do throws(Failure) {
      if communicator.rank == 0 {
        try lead(trainer, network, training, test, communicator, log)
      } else {
        _ = try trainer.run(observer: log.map { LogObserver($0) })
      }
    } catch {
      // Ranks that have agreed to stop may still talk to each other.
      if error.code == .preempted { try record?.finish() }
      throw error
    }
    try record?.finish()
    try InjectedFault.strike(.end, rank: communicator.rank)
  }

  /// Rank 0's part: the same as the others', and all that a person sees and keeps.
  private func lead(
    _ trainer: Trainer, _ network: Network, _ training: any Dataset, _ test: any Dataset,
    _ communicator: any Communicator, _ log: RankLog?
  ) throws(Failure) {
    let files = try RunDirectory.create(at: folder, configurationFile: configurationFile)
    let lock = try RunLock.acquire(files)
    defer { lock.release() }
    let store = CheckpointStore(folder: files.checkpoints)
    try store.removeTemporaryFiles()
    let origin = try takeUp(trainer, store, files)
    try AtomicFile.write(settings.yaml(), to: files.configuration)
    try prepareRecording(trainer, files)
    let output = TextOutput(format: messages, log: log)
    let data = RunData(test)
    if !isQuiet {
      var header = header(trainer, network, training, test, communicator, files)
      if let origin { header.add("goes on", "after step \(trainer.step), from \(origin)") }
      if let changes = changedJob { header.add("changed", changes) }
      for line in header.lines { output.writeLine(line) }
      if isVerbose {
        for line in SharedWork(trainer, network, communicator, files).lines { output.writeLine(line) }
      }
    }
    let journal = RunJournal(
      reporter: ProgressReporter(
        output: output, mode: isQuiet || isVerbose ? .none : progress, epochs: settings.training.epochs,
        steps: trainer.totalSteps,
        images: trainer.totalSamples - trainer.samples(ofSteps: trainer.step),
        evaluations: trainer.totalEvaluations - trainer.evaluationsMade),
      metrics: try MetricsLog(path: files.metrics, table: files.metricsTable, goingOnAfter: trainer.step), data: data,
      job: RunJournal.Job(
        ranks: communicator.summary, hosts: communicator.hosts, threads: trainer.schedule.threads),
      kind: trainer.validation == nil ? .test : .validation, learningRate: { trainer.update.rate(ofStep: $0) },
      epochs: settings.training.epochs, stepsPerEpoch: trainer.stepsPerEpoch, isQuiet: isQuiet,
      isVerbose: isVerbose && !isQuiet)
    defer { journal.close() }
    let events =
      settings.reporting.tensorboard
      ? try EventObserver(
        of: trainer, in: files.path, settings: settings, training: training, next: journal, warn: warn) : nil
    let isInStore = origin == store.path(ofStep: trainer.step)
    let checkpoints = try CheckpointObserver(
      of: trainer, in: store, settings: settings, writtenStep: isInStore ? trainer.step : 0, next: events ?? journal,
      prepare: journal.finish)
    defer { checkpoints.close() }
    let result: Evaluation.Result
    do throws(Failure) {
      result = try trainer.run(observer: log.map { LogObserver($0, next: checkpoints) } ?? checkpoints)
    } catch {
      guard error.code == .preempted else { throw error }
      try checkpoints.writeAndWait(trainer.step)
      throw Failure(
        .preempted,
        "stopped as asked after step \(trainer.step) of \(trainer.totalSteps); \(store.path(ofStep: trainer.step)) holds "
          + "its state", remedy: "go on with: \(commandToGoOn(files))")
    }
    if trainer.validation != nil {
      try journal.testDone((trainer.step - 1) / trainer.stepsPerEpoch, step: trainer.step, result)
    }
    try journal.finish()
    try events?.finish(test)
    try checkpoints.finish()
    // The weights that were evaluated: their average where the run keeps one.
    trainer.takeAverage()
    let weights = network.parameters.tensorsByValue
    try SafetensorsFile(
      weights: weights, step: trainer.step, epoch: trainer.step / trainer.stepsPerEpoch,
      configuration: settings.arithmeticText
    ).write(to: files.weights)
    if !isQuiet {
      output.writeLine(journal.summary)
      if let best = trainer.best {
        output.writeLine("fewest validation errors: \(best.errors), after step \(best.step)")
      }
    }
    output.writeLine(ResultText.accuracy(result, of: data))
    output.writeLine(ResultText.weights(WeightsDigest.of(weights), of: data))
    try output.finish()
  }

  private func header(
    _ trainer: Trainer, _ network: Network, _ training: any Dataset, _ test: any Dataset,
    _ communicator: any Communicator, _ files: RunDirectory
  ) -> RunHeader {
    var header = RunHeader(title: program)
    let threads = trainer.schedule.threads
    header.add(
      "ranks",
      "\(communicator.summary) on \(RunHeader.hosts(communicator.hosts))"
        + (threads > 1 ? ", \(threads) threads\(communicator.size > 1 ? " each" : "")" : "")
        + (communicator.binding.map { ", \($0)" } ?? ""))
    header.add(
      "data",
      "\(training.name), \(training.origin): \(training.count) training and \(test.count) test images"
        + (trainer.validation.map { ", \($0.sampleCount) to validate with" } ?? ""))
    header.add("network", "\(settings.model.name.rawValue), \(network.parameters.count) parameters")
    let leaves = (settings.training.batch + settings.training.microbatch - 1) / settings.training.microbatch
    header.add(
      "training",
      "\(trainer.totalSteps) steps (\(trainer.stepsPerEpoch) an epoch) of batch \(settings.training.batch) in \(leaves) "
        + "microbatches of \(settings.training.microbatch)")
    if let compression = trainer.schedule.compression {
      let count = network.parameters.count
      header.add(
        "compression",
        "\(settings.communication.compression.rawValue) in \(compression.groups) groups, "
          + "\(compression.byteCount(of: count)) bytes each of \(4 * count)")
    }
    if let localSteps = trainer.schedule.localSteps {
      header.add(
        "local steps",
        "\(localSteps.interval) of each of \(localSteps.groups) groups of microbatches between averages; another training "
          + "than without")
    }
    if let sharding = trainer.shardingText { header.add("sharded", sharding) }
    header.add("settings", settingsOrigin)
    header.add("run folder", files.path)
    return header
  }
}
