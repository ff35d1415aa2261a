import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Optimizers

extension TrainingStep {
  /// A step without the rest of a run, for whoever calls it again and again.
  ///
  /// - Throws: as `Trainer.init` does.
  public convenience init(
    network: Network, optimizer: Adam, dataset: any Dataset, schedule: Trainer.Schedule, communicator: any Communicator
  ) throws(Failure) {
    let plan = BatchPlan(sampleCount: dataset.count, batch: schedule.batch, microbatch: schedule.microbatch)
    try GradientTree.check(
      batch: plan.samples(ofBatch: 0).count, microbatch: schedule.microbatch, ranks: communicator.size)
    self.init(
      network: network, optimizer: optimizer, dataset: dataset,
      order: EpochOrder(sampleCount: dataset.count, seed: schedule.seed), plan: plan,
      reduction: try OrderedAllReduce(
        communicator: communicator, parameterCount: network.parameters.count,
        maximumLeaves: plan.microbatchCount(ofBatch: 0), workers: schedule.threads),
      workers: (0..<schedule.threads).map { _ in
        MicrobatchWorker(network: network, largestMicrobatch: schedule.microbatch)
      })
  }
}
