import DataParallel
import Failures

/// How groups of microbatches train by themselves for some steps, before what they have come to is averaged.
///
/// Local SGD: McMahan, Moore, Ramage, Hampson and Agüera y Arcas, "Communication-efficient learning of deep networks from
/// decentralized data" (2017); Stich, "Local SGD converges fast and communicates little" (2019); with the averages of
/// moments too, as Yu, Jin and Yang, "On the linear speedup analysis of communication efficient momentum SGD for
/// distributed non-convex optimization" (2019).
///
/// The gradient's tree is cut at the level with `groups` nodes. Each group has weights and an optimizer of its own, which
/// in each step move along the mean gradient of its own microbatches. At a synchronisation each number of them becomes the
/// mean over the groups, added in the tree's order. All this happens whether or not two groups are on the same rank, so that
/// the bits depend on `interval` and `groups`, and on no number of ranks. They are others than those of the whole batch's
/// gradient: this is another training. A group without a microbatch, in a short last batch, makes no step with it.
///
/// Synchronisations are after each step whose number is a multiple of `interval`, and at the end of each epoch: wherever a
/// state may be written or evaluated.
public struct LocalSteps: Equatable, Sendable {
  /// Steps from one synchronisation to the next, at least 2.
  public let interval: Int
  /// A power of two.
  public let groups: Int

  public init(interval: Int, groups: Int) {
    self.interval = interval
    self.groups = groups
  }

  func isSynchronised(afterStep step: Int, stepsPerEpoch: Int) -> Bool {
    step % interval == 0 || step % stepsPerEpoch == 0
  }

  /// The last synchronisation before the end of a step; 0 where there was none.
  func synchronisation(before step: Int, stepsPerEpoch: Int) -> Int {
    max((step - 1) / interval * interval, (step - 1) / stepsPerEpoch * stepsPerEpoch)
  }

  /// Makes sure that a full batch fills the groups and the groups fill the ranks, and that nobody asks for a state where
  /// there are several.
  ///
  /// - Throws: a `.configuration` failure that names the setting.
  func check(_ schedule: Trainer.Schedule, leaves: Int, ranks: Int, stepsPerEpoch: Int) throws(Failure) {
    guard interval > 1, groups > 0, groups.nonzeroBitCount == 1 else {
      throw Failure(
        .configuration,
        "communication.local_steps is \(interval), and communication.local_groups \(groups)",
        remedy: "set the first to 2 or more and the second to a power of two, or have no local steps")
    }
    try GradientTree.check(groups: groups, of: "communication.local_groups", leaves: leaves, ranks: ranks)
    let between = "communication.local_steps is \(interval)"
    guard schedule.checkpointEverySteps % interval == 0 else {
      throw Failure(
        .configuration,
        "\(between), and checkpoint.every_steps \(schedule.checkpointEverySteps): between two averages each group has "
          + "another state", remedy: "set checkpoint.every_steps to a multiple of \(interval), or to 0")
    }
    if let last = schedule.maximumSteps, last < schedule.epochs * stepsPerEpoch,
      !isSynchronised(afterStep: last, stepsPerEpoch: stepsPerEpoch)
    {
      throw Failure(
        .configuration,
        "\(between), and the run should end after step \(last): between two averages each group has "
          + "another state", remedy: "set --max-steps to a multiple of \(interval)")
    }
    guard schedule.compression == nil, !schedule.isSharded, schedule.verifyEvery == 0 else {
      throw Failure(
        .configuration, "\(between), and gradients are compressed, the optimizer is sharded or gradients are verified",
        remedy: "turn off communication.compression, optimizer.sharded and reliability.verify_every, or set "
          + "communication.local_steps to 1")
    }
  }
}
