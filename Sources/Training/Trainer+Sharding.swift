import Checkpoints
import Communication
import DataParallel
import Datasets
import Failures
import NeuralNetwork
import Optimizers

/// Where each rank updates a slice of the parameters.
extension Trainer {
  /// Whether each rank keeps a slice of the optimizer's state alone.
  public var isSharded: Bool { shards != nil }

  /// How the optimizer's state is shared, in words; nil where it is not.
  var shardingText: String? {
    guard shards != nil else { return nil }
    let slices = trainingStep.slices.map(\.count)
    let states = update.states.map(\.name).joined(separator: ", ").replacing("_", with: " ")
    return "at most \(slices.max() ?? 0) of \(network.parameters.count) on a rank: \(states)"
  }

  /// The update of this rank's slice, or of all where the reduction is not sharded.
  static func makeUpdate(
    _ makeOptimizer: (_ count: Int) -> any Optimizer, _ reduction: OrderedAllReduce, _ schedule: Schedule,
    _ plan: BatchPlan, _ parameters: ParameterStore
  ) throws(Failure) -> ParameterUpdate {
    let slice = reduction.slice
    let optimizer = makeOptimizer(slice.count)
    let isRefused = schedule.isSharded && (schedule.compression != nil || !optimizer.isElementwise)
    guard !isRefused else {
      throw Failure(
        .configuration,
        schedule.compression != nil
          ? "a sharded optimizer has a slice of the gradient, and compressed gradients come to every rank in whole"
          : "the optimizer needs more of a gradient than a slice, and cannot be sharded",
        remedy: "choose adam or sgd and no compression, or set optimizer.sharded to false")
    }
    return ParameterUpdate(
      optimizer: optimizer, learningRate: schedule.learningRate, stepsPerEpoch: plan.batchesPerEpoch,
      clipNorm: schedule.clipNorm, averageDecay: schedule.averageDecay, count: parameters.count,
      paddedCount: parameters.paddedCount, slice: slice)
  }
}
