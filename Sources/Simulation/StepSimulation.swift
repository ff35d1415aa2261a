import Arithmetic
import DataParallel

/// Ranks that take longer than they should, now and then.
public struct Stragglers: Equatable, Sendable {
  /// That a rank is one in a step.
  public var probability: Double
  /// How many times as long it computes then.
  public var factor: Double

  public init(probability: Double = 0, factor: Double = 1) {
    self.probability = probability
    self.factor = factor
  }
}

/// What a step takes, in seconds: means over steps and ranks, split as `dtrain scale` splits them.
public struct StepTimes: Equatable, Sendable {
  /// From one step's end to the next.
  public var step = 0.0
  public var computation = 0.0
  /// In the exchange until the last rank has come.
  public var waiting = 0.0
  /// Of the exchange what the last rank takes, and adding up.
  public var transfer = 0.0
  public var update = 0.0
  /// The rest.
  public var fixed = 0.0
}

/// Steps of training at one number of ranks.
struct StepSimulation {
  private let model: CostModel
  private let nodes: NodeLayout
  private let stragglers: Stragglers
  private let seed: UInt64
  private let schedule: ExchangeSchedule
  private let crowding: [Double]
  /// Seconds that each rank computes where nothing varies and it has a core of its own.
  private let computation: [Double]
  /// The same of the update and what else there is in a step.
  private let updating: Double
  private let fixed: Double
  private let turn: Double

  var form: ExchangeForm { schedule.form }
  var messages: Int { schedule.messages }

  init(
    _ model: CostModel, nodes: NodeLayout, batch: Int, microbatch: Int, parameters: Int, stragglers: Stragglers,
    seed: UInt64
  ) {
    self.model = model
    self.nodes = nodes
    self.stragglers = stragglers
    self.seed = seed
    let tree = GradientTree(leaves: (batch + microbatch - 1) / microbatch, ranks: nodes.ranks)
    schedule = ExchangeSchedule(tree: tree, parameterCount: parameters, ranksPerNode: nodes.ranksPerNode)
    crowding = (0..<nodes.ranks).map(nodes.crowding)
    computation = (0..<nodes.ranks).map { rank in
      let leaves = tree.leaves(ofRank: rank)
      let images = min(batch, leaves.upperBound * microbatch) - min(batch, leaves.lowerBound * microbatch)
      let contention = 1 + model.contention * (nodes.computing(besides: rank) - 1)
      return Double(images) * model.secondsPerImage * contention
    }
    updating = Double(parameters) * model.updateSecondsPerParameter
    fixed = model.fixedSeconds
    turn = Self.coreComputation(computation, nodes) * model.turnShare
  }

  func run(steps: Int) -> StepTimes {
    var exchange = ExchangeSimulation(schedule, nodes: nodes, model: model)
    var times = StepTimes()
    var ready = Array(repeating: 0.0, count: nodes.ranks)
    for step in 0..<steps {
      let work = computation.indices.map { computation[$0] * factor(step: step, rank: $0) }
      let entries = shareCores(ready, work)
      let ends = exchange.run(entries)
      tally(&times, zip(entries, ready).map { $0 - $1 }, entries, ends)
      ready = ends.indices.map { ends[$0].time + turn + (updating + fixed) * crowding[$0] }
    }
    times.waiting += turn * Double(steps)
    let scale = 1 / Double(max(1, steps))
    times.step = (ready.max() ?? 0) * scale
    times.computation *= scale
    times.waiting *= scale
    times.transfer *= scale
    times.update = updating * mean(crowding)
    times.fixed = fixed * mean(crowding)
    return times
  }

  /// What a core of a node with more ranks than cores computes, where that is the most.
  private static func coreComputation(_ computation: [Double], _ nodes: NodeLayout) -> Double {
    let crowded = nodes.ranksOfNodes.filter { nodes.crowding(of: $0.lowerBound) > 1 }
    return crowded.map { computation[$0].reduce(0, +) / nodes.computing(besides: $0.lowerBound) }.max() ?? 0
  }

  private func shareCores(_ starts: [Double], _ work: [Double]) -> [Double] {
    nodes.ranksOfNodes.flatMap { node in
      ProcessorSharing(capacity: nodes.computing(besides: node.lowerBound))
        .ends(starts: Array(starts[node]), work: Array(work[node]))
    }
  }

  private func tally(
    _ times: inout StepTimes, _ computed: [Double], _ entries: [Double], _ ends: [ExchangeSimulation.End]
  ) {
    guard let last = entries.indices.max(by: { entries[$0] < entries[$1] }) else { return }
    let exchanging = ends.indices.map { ends[$0].time - entries[$0] - ends[$0].adding }
    times.computation += mean(computed)
    times.transfer += exchanging[last] + mean(ends.map(\.adding))
    times.waiting += max(0, mean(exchanging) - exchanging[last])
  }

  /// What a rank's time in a step is multiplied by.
  private func factor(step: Int, rank: Int) -> Double {
    guard model.spread > 0 || model.stepSpread > 0 || stragglers.probability > 0 else { return 1 }
    var own = stream(step: step, index: rank + 1)
    var common = stream(step: step, index: 0)
    // No rank is ten times as fast as another for a moment; without a limit a wide spread would give times below 0.
    var factor = max(0.1, 1 + model.spread * own.nextNormal()) * max(0.1, 1 + model.stepSpread * common.nextNormal())
    if own.nextUnit() < stragglers.probability { factor *= stragglers.factor }
    return factor
  }

  /// The numbers of a rank in a step do not depend on how many others there are.
  private func stream(step: Int, index: Int) -> RandomStream {
    RandomStream(seed: seed, purpose: .simulation, first: UInt32(step), second: UInt32(index))
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
}
