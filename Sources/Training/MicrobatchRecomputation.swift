import Augmentation
import DataParallel
import Datasets
import Digests
import Failures
import NeuralNetwork

/// Computes single microbatches again, beside the steps: the same bits as in a step, whatever rank computed it there.
final class MicrobatchRecomputation {
  let network: Network
  let dataset: any Dataset
  let order: EpochOrder
  let plan: BatchPlan
  /// The last gradient that was computed: of the microbatch's summed loss.
  let gradient: GradientVector
  private let worker: MicrobatchWorker

  /// - Parameter augmentation: that of the steps.
  /// - Throws: `.osError` where there is not enough memory.
  init(
    network: Network, dataset: any Dataset, order: EpochOrder, plan: BatchPlan, augmentation: AugmentationSettings
  ) throws(Failure) {
    self.network = network
    self.dataset = dataset
    self.order = order
    self.plan = plan
    gradient = try GradientVector(count: network.parameters.count)
    worker = MicrobatchWorker(
      network: network, largestMicrobatch: plan.microbatch,
      augmenter: Augmenter(augmentation, for: dataset.imageShape, seed: order.seed))
  }

  /// Computes `gradient`, with the network's parameters as they are.
  func compute(_ microbatch: Int, of position: StepPosition) {
    order.prepare(epoch: position.epoch)
    worker.computeGradient(
      of: plan.samples(ofBatch: position.batch, microbatch: microbatch), order: order, epoch: position.epoch,
      dataset: dataset, into: gradient)
  }

  /// Computes `gradient`, and finds where a number is not finite on the way.
  func findNonFinite(_ microbatch: Int, of position: StepPosition) -> NonFinitePlace? {
    order.prepare(epoch: position.epoch)
    return worker.findNonFinite(
      of: plan.samples(ofBatch: position.batch, microbatch: microbatch), order: order, epoch: position.epoch,
      dataset: dataset, into: gradient)
  }

  /// SHA-256 over the gradient, in the order of the parameters, as little-endian float32.
  static func digest(of gradient: GradientVector) -> Digest {
    SHA256.of(UnsafeRawBufferPointer(start: gradient.floats, count: gradient.count * MemoryLayout<Float>.stride))
  }
}
