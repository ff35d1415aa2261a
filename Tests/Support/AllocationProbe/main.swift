// Trains DeepConvNet on drawn digits in one process, with the settings that are given besides, and prints how often each
// step after the first epoch asked for memory.
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

func train() throws(Failure) {
  // Two full batches and one short one an epoch.
  let settings = try SettingsLoader.load(
    file: nil,
    overrides: [
      "dataset.name=synthetic-digits", "dataset.training_samples=50", "dataset.test_samples=10", "training.batch=20",
      "training.microbatch=4", "training.epochs=4", "evaluation.every_epochs=4",
      "augmentation.rotation=10", "augmentation.elastic=1", "augmentation.noise=0.05", "augmentation.erasing=0.5",
      "training.label_smoothing=0.1",
      "optimizer.schedule=cosine", "optimizer.clip_norm=1", "optimizer.average_decay=0.99",
    ] + CommandLine.arguments.dropFirst())
  let training = try settings.openDataset(.training)
  let network = try settings.makeNetwork(for: training.imageShape)
  network.parameters.initialize(seed: 0)
  let trainer = try Trainer(
    network: network, optimizer: settings.makeOptimizer(for: network.parameters), training: training,
    test: try settings.openDataset(.test), schedule: settings.schedule(maximumSteps: nil, threads: 1),
    communicator: SingleProcess())
  let counter = Counter()
  _ = try trainer.run(observer: counter)
  // Setting all this up asked for memory: a count that has not moved counts nothing.
  guard counter.counts[0] > 100 else { return print("not counted") }
  let steady = counter.counts.dropFirst(trainer.stepsPerEpoch)
  for (before, after) in zip(steady, steady.dropFirst()) { print(after - before) }
}

do throws(Failure) { try train() } catch { print(error) }
