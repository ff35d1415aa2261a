import Communication
import DataParallel
import Failures
import Kernels
import NeuralNetwork
import Optimizers

/// This rank's groups of microbatches, each with weights and an optimizer of its own. See `LocalSteps`.
///
/// Allocates nothing after the first step with a number of leaves.
final class LocalGroups {
  private struct Group {
    let number: Int
    let update: ParameterUpdate
    /// What the optimizer keeps, [paddedCount] each.
    let states: [UnsafeMutablePointer<Float>]
    /// Its weights, where the network has those of several groups in turn.
    let weights: GradientVector?
  }

  private let steps: LocalSteps
  private let network: Network
  private let stepsPerEpoch: Int
  /// Of consecutive numbers.
  private let groups: [Group]
  /// Adds the gradients of one group.
  private let gradients: OrderedAllReduce
  /// Adds the groups' statistics, and nothing else.
  private let statistics: OrderedAllReduce
  /// Adds the groups' weights and states, one behind the other.
  private let averaging: OrderedAllReduce
  /// The leaves of each group, by the number of all leaves.
  private var nodes: [Int: [Range<Int>]] = [:]
  /// Of the step that is being made, by group.
  private var found: [StepStatistics]

  /// Told what the exchanges between groups are doing, if set; who adds the gradients has an observer of its own.
  var observer: (any StepObserver)? {
    didSet {
      statistics.observer = observer
      averaging.observer = observer
    }
  }

  private var count: Int { network.parameters.paddedCount }
  /// Of the first group: at a synchronisation that of all.
  var update: ParameterUpdate { groups[0].update }
  /// What the steps so far took.
  var times: ReductionTimes {
    ReductionTimes(
      computation: gradients.times.computation,
      exchange: statistics.times.exchange + averaging.times.exchange)
  }

  /// - Parameters:
  ///   - gradients: of this rank alone, of as many leaves as a group has at most.
  ///   - makeUpdate: of all parameters; called once a group.
  init(
    _ steps: LocalSteps, network: Network, communicator: any Communicator, stepsPerEpoch: Int,
    gradients: OrderedAllReduce, makeUpdate: () throws(Failure) -> ParameterUpdate
  ) throws(Failure) {
    self.steps = steps
    self.network = network
    self.stepsPerEpoch = stepsPerEpoch
    self.gradients = gradients
    found = Array(repeating: StepStatistics(), count: steps.groups)
    let own = GradientTree(leaves: steps.groups, ranks: communicator.size).leaves(ofRank: communicator.rank)
    var groups: [Group] = []
    for number in own {
      let update = try makeUpdate()
      groups.append(
        Group(
          number: number, update: update, states: update.states.map(\.values),
          weights: own.count > 1 ? try GradientVector(count: network.parameters.count) : nil))
    }
    self.groups = groups
    statistics = try OrderedAllReduce(communicator: communicator, parameterCount: 0, maximumLeaves: steps.groups)
    averaging = try OrderedAllReduce(
      communicator: communicator, parameterCount: (1 + groups[0].states.count) * network.parameters.paddedCount,
      maximumLeaves: steps.groups)
  }

  /// The most microbatches of a group.
  static func largest(_ steps: LocalSteps, leaves: Int) -> Int {
    GradientTree(leaves: leaves, ranks: 1, groups: steps.groups).groupNodes.map(\.count).max() ?? leaves
  }

  /// Gives each group the network's weights and the first group's state.
  func spread() {
    for group in groups {
      group.weights?.floats.update(from: network.parameters.values, count: count)
      guard group.number != groups[0].number else { continue }
      for (state, first) in zip(group.states, groups[0].states) { state.update(from: first, count: count) }
    }
  }

  /// A step of each of this rank's groups; where a synchronisation is due, all groups have the same afterwards, which is
  /// in the network.
  ///
  /// - Parameter computeLeaf: as `OrderedAllReduce.reduce` has it, of the batch's microbatches.
  /// - Returns: the sum over all groups.
  /// - Throws: on every rank, where a loss or a gradient is not finite; what the exchange throws.
  func run(
    _ position: StepPosition, leaves: Int,
    computeLeaf: (_ worker: Int, _ leaf: Int, _ into: GradientVector) throws(Failure) -> Void
  ) throws(Failure) -> StepStatistics {
    let nodes = nodes(of: leaves)
    for group in groups {
      let node = nodes[group.number]
      found[group.number] = StepStatistics()
      guard !node.isEmpty else { continue }
      if let weights = group.weights {
        observer?.enters(.preparation)
        network.parameters.values.update(from: weights.floats, count: count)
        network.prepareParameters()
      }
      let (gradient, sum) = try gradients.reduce(
        leaves: node.count, phase: Phase("gradient of a group", step: position.step)
      ) { (worker, leaf, vector) throws(Failure) in
        try computeLeaf(worker, node.lowerBound + leaf, vector)
      }
      found[group.number] = sum
      guard FiniteCheck.allAreFinite(gradient, count: network.parameters.count) else {
        found[group.number].nonFinite += 1
        continue
      }
      observer?.enters(.update)
      group.update.apply(step: position.step, parameters: network.parameters.values, gradients: gradient)
      group.weights?.floats.update(from: network.parameters.values, count: count)
    }
    let all = try share(position)
    if steps.isSynchronised(afterStep: position.step, stepsPerEpoch: stepsPerEpoch) {
      try average(position.step)
      observer?.enters(.preparation)
      network.prepareParameters()
    } else if groups.count == 1 {
      observer?.enters(.preparation)
      network.prepareParameters()
    }
    return all
  }

  private func nodes(of leaves: Int) -> [Range<Int>] {
    if let known = nodes[leaves] { return known }
    let new = GradientTree(leaves: leaves, ranks: 1, groups: steps.groups).groupNodes
    nodes[leaves] = new
    return new
  }

  private func share(_ position: StepPosition) throws(Failure) -> StepStatistics {
    let (_, all) = try statistics.reduce(
      leaves: steps.groups, phase: Phase("exchange of the groups' losses", step: position.step)
    ) { (_, number, vector) throws(Failure) in vector.statistics = found[number] }
    guard all.nonFinite == 0 else {
      throw Failure(
        .failure,
        (all.lossSum.isFinite ? "the gradient of a group is not finite" : "the loss is \(all.lossSum)")
          + " at step \(position.step) (epoch \(position.epoch + 1))",
        remedy: "lower optimizer.learning_rate, or see whether the data are what they should be; "
          + "communication.local_steps=1 says where it begins")
    }
    return all
  }

  private func average(_ step: Int) throws(Failure) {
    let (mean, _) = try averaging.reduce(leaves: steps.groups, phase: Phase("average of the groups", step: step)) {
      (_, number, vector) throws(Failure) in
      let group = groups[number - groups[0].number]
      vector.floats.update(from: group.weights?.floats ?? network.parameters.values, count: count)
      for (place, state) in group.states.enumerated() {
        (vector.floats + (place + 1) * count).update(from: state, count: count)
      }
      vector.statistics = StepStatistics(samples: 1)
    }
    network.parameters.values.update(from: mean, count: count)
    for group in groups {
      group.weights?.floats.update(from: mean, count: count)
      for (place, state) in group.states.enumerated() {
        state.update(from: mean + (place + 1) * count, count: count)
      }
    }
  }
}
