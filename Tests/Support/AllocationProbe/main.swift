// Trains DeepConvNet on drawn digits in one process, with the settings that are given besides, and prints how often each
// step after the first epoch asked for memory. With a number first, on so many replicas, of whose steps those at the end of
// an epoch are left out, where rank 0 collects what the others have.
import CAllocationCount
import Communication
import Configuration
import DataParallel
import Failures
import Training

final class Counter: TrainingObserver {
  private(set) var counts: [Int] = []

  func trainingStarts() { counts.reserveCapacity(100) }

  func stepDone(_ step: Int, epoch: Int, _ statistics: StepStatistics) { counts.append(dtrain_allocation_count()) }

  func epochDone(_ epoch: Int, step: Int, _ evaluation: Evaluation.Result?) {}
}

func train(_ arguments: [String], replicas: Int) throws(Failure) {
  // Two full batches and one short one an epoch.
  let settings = try SettingsLoader.load(
    file: nil,
    overrides: [
      "dataset.name=synthetic-digits", "dataset.training_samples=\(replicas > 1 ? 110 : 50)", "dataset.test_samples=10",
      "training.batch=20",
      "training.microbatch=4", "training.epochs=4", "evaluation.every_epochs=4",
      "augmentation.rotation=10", "augmentation.elastic=1", "augmentation.noise=0.05", "augmentation.erasing=0.5",
      "training.label_smoothing=0.1",
      "optimizer.schedule=cosine", "optimizer.clip_norm=1", "optimizer.average_decay=0.99",
    ] + arguments)
  guard replicas > 1 else { return try train(settings, SingleProcess()) }
  _ = try InProcessReplicas.run(count: replicas) { (replica) throws(Failure) in try train(settings, replica) }
}

@Sendable func train(_ settings: Settings, _ communicator: any Communicator) throws(Failure) {
  let training = try settings.openDataset(.training)
  let network = try settings.makeNetwork(for: training.imageShape)
  network.parameters.initialize(seed: 0)
  let trainer = try Trainer(
    network: network, makeOptimizer: { settings.makeOptimizer(for: network.parameters, count: $0) },
    training: training, test: try settings.openDataset(.test),
    schedule: settings.schedule(maximumSteps: nil, threads: 1), communicator: communicator)
  let counter = Counter()
  _ = try trainer.run(observer: counter)
  guard communicator.rank == 0 else { return }
  // Setting all this up asked for memory: a count that has not moved counts nothing.
  guard counter.counts[0] > 100 else { return print("not counted") }
  let steady = counter.counts.dropFirst(trainer.stepsPerEpoch)
  for (step, (before, after)) in zip(steady, steady.dropFirst()).enumerated() {
    let place = (step + 1) % trainer.stepsPerEpoch
    if communicator.size == 1 || place > 0 && place < trainer.stepsPerEpoch - 1 { print(after - before) }
  }
}

let arguments = Array(CommandLine.arguments.dropFirst())
let replicas = arguments.first.flatMap { Int($0) }
do throws(Failure) {
  try train(replicas == nil ? arguments : Array(arguments.dropFirst()), replicas: replicas ?? 1)
} catch { print(error) }
