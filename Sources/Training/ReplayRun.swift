import Checkpoints
import Communication
import Configuration
import Datasets
import Failures
import NeuralNetwork
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Does again, in one process, what some rank of some job did in one microbatch of one step: what `dtrain replay` does.
public struct ReplayRun {
  private let settings: Settings
  private let checkpoint: Checkpoint
  private let path: String
  private let microbatch: Int
  private let step: Int?

  /// - Parameters:
  ///   - settings: those of the run.
  ///   - path: the checkpoint's file, for messages.
  ///   - step: the step to look at, from 1; nil for the one after the checkpoint.
  public init(settings: Settings, checkpoint: Checkpoint, path: String, microbatch: Int, step: Int?) {
    self.settings = settings
    self.checkpoint = checkpoint
    self.path = path
    self.microbatch = microbatch
    self.step = step
  }

  /// Prints loss, samples, norms and digest of the gradient on standard output.
  ///
  /// - Throws: `.usage` where the checkpoint lies behind the step or the step has no such microbatch; whatever is wrong
  ///   with the data.
  public func run() throws(Failure) {
    let start = checkpoint.position.step
    let step = step ?? start + 1
    guard step > start else {
      throw Failure(
        .usage, "\(path) holds the state after step \(start), and step \(step) lies before it",
        remedy: "take a checkpoint from before that step, or --step \(start + 1) or later")
    }
    guard settings.communication.localSteps == 1 || step == start + 1 else {
      throw Failure(
        .usage,
        "between averages (communication.local_steps is \(settings.communication.localSteps)) each group of microbatches has "
          + "weights of its own", remedy: "look at step \(start + 1), or take a checkpoint from right before the step")
    }
    let communicator = SingleProcess()
    let training = try settings.openDataset(.training)
    let network = try settings.makeNetwork(for: training.imageShape)
    // No test is made on the way, so that the test images need not be there.
    let trainer = try Trainer(
      network: network, makeOptimizer: { settings.makeOptimizer(for: network.parameters, count: $0) },
      training: training, test: training, schedule: schedule(threads: settings.threads(on: communicator)),
      communicator: communicator)
    guard Checkpoint.Position(step: start, stepsPerEpoch: trainer.stepsPerEpoch) == checkpoint.position else {
      throw Failure(
        .badData,
        "\(training.origin): an epoch has \(trainer.stepsPerEpoch) steps here, and had another number in the "
          + "run of \(path): the data are others", remedy: "name the run's data with --data DIR")
    }
    let position = StepPosition(step: step, stepsPerEpoch: trainer.stepsPerEpoch)
    let count = trainer.plan.microbatchCount(ofBatch: position.batch)
    guard microbatch < count else {
      throw Failure(
        .usage, "step \(step) has \(count) microbatches, and \(microbatch) is none of them",
        remedy: "give --microbatch a number from 0 to \(count - 1)")
    }
    try trainer.restore(checkpoint, from: path)
    try trainer.advance(to: step - 1)
    let recomputation = try MicrobatchRecomputation(
      network: network, dataset: training, order: trainer.order, plan: trainer.plan,
      augmentation: trainer.schedule.augmentation)
    recomputation.compute(microbatch, of: position)
    try report(recomputation, position, count)
  }

  private func schedule(threads: Int) -> Trainer.Schedule {
    var schedule = settings.schedule(maximumSteps: nil, threads: threads)
    // The end of the run is no limit here.
    schedule.epochs = 1 << 40
    schedule.verifyEvery = 0
    return schedule
  }

  private func report(
    _ recomputation: MicrobatchRecomputation, _ position: StepPosition, _ count: Int
  ) throws(Failure) {
    let output = TextOutput()
    let start = checkpoint.position.step
    output.writeLine("checkpoint \(path), after step \(start)")
    if position.step > start + 1 {
      output.writeLine("trained in between: steps \(start + 1) to \(position.step - 1)")
    }
    let statistics = recomputation.gradient.statistics
    output.writeLine(
      "step \(position.step) (epoch \(position.epoch + 1), batch \(position.batch + 1)), microbatch \(microbatch) of "
        + "0 to \(count - 1)")
    output.writeLine(
      "loss \(NumberText.loss(statistics.meanLoss)) (mean), \(statistics.lossSum) (sum of \(statistics.samples)), "
        + "\(statistics.correct) right")
    var samples = TextTable([.right, .right])
    samples.add(["sample", "label"])
    for (index, label) in labels(recomputation, position) { samples.add(["\(index)", "\(label)"]) }
    for line in samples.lines { output.writeLine(line) }
    var norms = TextTable([.left, .right])
    norms.add(["layer", "norm of its gradient"])
    let network = recomputation.network
    for (index, layer) in network.segment.layers.enumerated() {
      guard let range = network.parameterRange(ofLayer: index) else { continue }
      let sum = range.reduce(0.0) {
        $0 + Double(recomputation.gradient.floats[$1]) * Double(recomputation.gradient.floats[$1])
      }
      norms.add([layer.name, "\(sum.squareRoot())"])
    }
    for line in norms.lines { output.writeLine(line) }
    output.writeLine("gradient digest \(MicrobatchRecomputation.digest(of: recomputation.gradient))")
    try output.finish()
  }

  private func labels(_ recomputation: MicrobatchRecomputation, _ position: StepPosition) -> [(Int, label: Int)] {
    var pixels = [UInt8](repeating: 0, count: recomputation.dataset.imageShape.pixelCount)
    return recomputation.plan.samples(ofBatch: position.batch, microbatch: microbatch).map { place in
      let index = recomputation.order[place]
      return (
        index,
        pixels.withUnsafeMutableBufferPointer { buffer in
          buffer.baseAddress.map { recomputation.dataset.read(index, into: $0) } ?? 0
        }
      )
    }
  }
}
