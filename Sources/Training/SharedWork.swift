import Checkpoints
import Communication
import DataParallel
import NeuralNetwork
import Reporting

/// How the work of a step is shared among the ranks, in words.
struct SharedWork {
  /// Of more ranks not every one is named.
  private static let namedRanks = 16

  let lines: [String]

  init(_ trainer: Trainer, _ network: Network, _ communicator: any Communicator, _ files: RunDirectory) {
    let schedule = trainer.schedule
    let leaves = (schedule.batch + schedule.microbatch - 1) / schedule.microbatch
    let tree = GradientTree(
      leaves: leaves, ranks: communicator.size, groups: schedule.compression?.groups ?? schedule.localSteps?.groups)
    var lines = ["plan of a step"]
    for rank in 0..<min(communicator.size, Self.namedRanks) {
      let own = tree.leaves(ofRank: rank)
      let text =
        own.count == 1 ? "microbatch \(own.lowerBound)" : "microbatches \(own.lowerBound) to \(own.upperBound - 1)"
      lines.append(
        "  rank \(rank) on \(communicator.hosts[rank])  \(own.isEmpty ? "no microbatch" : text) of \(leaves)")
    }
    if communicator.size > Self.namedRanks { lines.append("  and \(communicator.size - Self.namedRanks) more") }
    let count = network.parameters.count
    if communicator.size == 1 {
      lines.append("  exchange  none")
    } else if let localSteps = schedule.localSteps {
      lines.append("  exchange  weights and moments of \(localSteps.groups) groups, every \(localSteps.interval) steps")
    } else if let compression = schedule.compression {
      lines.append(
        "  exchange  \(count) gradients in \(compression.groups) groups, \(compression.byteCount(of: count)) bytes each"
      )
    } else {
      let way =
        switch trainer.trainingStep.exchangeForm {
        case .shared: "through memory"
        case .nodes: "through memory on a node and by messages between nodes"
        case .direct, .doubling, .halving: "by messages"
        }
      lines.append(
        "  exchange  \(count) gradients (\(count * 4 / 1024) KiB) \(way), a slice of about "
          + "\(count / communicator.size) a rank" + (trainer.isSharded ? ", whose new weights come back" : ""))
    }
    lines.append("layers")
    for layer in network.segment.layers { lines.append("  \(layer.name)  to \(layer.outputShape)") }
    lines.append("files")
    lines.append("  metrics  \(files.metrics), \(files.metricsTable)")
    lines.append("  checkpoints  \(files.checkpoints)")
    self.lines = lines
  }
}
