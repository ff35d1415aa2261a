import Arithmetic

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What failures and the checkpoints against them cost, in seconds.
public struct FailureCosts: Equatable, Sendable {
  /// Mean time between failures of one node.
  public var nodeLife: Double
  /// Writing a checkpoint, during which no rank computes.
  public var checkpoint: Double
  /// From a failure until all ranks go on from the last checkpoint.
  public var restart: Double

  public init(nodeLife: Double, checkpoint: Double, restart: Double) {
    self.nodeLife = nodeLife
    self.checkpoint = checkpoint
    self.restart = restart
  }
}

/// How long to train from one checkpoint to the next where nodes fail at random, independently and for good: lives have
/// an exponential distribution, and the first failure of a node ends the job.
public struct CheckpointInterval: Equatable, Sendable {
  public let costs: FailureCosts
  /// Mean time between failures of the job, in seconds.
  public let life: Double
  private let lives: [Double]
  /// Seconds of all restarts after those lives, with the failures that strike in them.
  private let restarts: Double
  /// The interval with the least loss in the simulation.
  public private(set) var best: Double

  /// - Parameters:
  ///   - nodes: of the job, at least 1.
  ///   - failures: how many are drawn.
  public init(_ costs: FailureCosts, nodes: Int, seed: UInt64, failures: Int = 100_000) {
    self.costs = costs
    life = costs.nodeLife / Double(nodes)
    var stream = RandomStream(seed: seed, purpose: .simulation, first: .max)
    var lives: [Double] = []
    lives.reserveCapacity(failures)
    var restarts = 0.0
    for _ in 0..<failures {
      lives.append(-life * ElementaryFunctions.logarithm(1 - stream.nextUnit()))
      guard costs.restart > 0 else { continue }
      // A restart that is not done when the next failure comes begins anew. Where that is almost always so, none ends.
      for _ in 0..<10_000 {
        let rest = -life * ElementaryFunctions.logarithm(1 - stream.nextUnit())
        restarts += min(rest, costs.restart)
        if rest >= costs.restart { break }
      }
    }
    self.lives = lives
    self.restarts = restarts
    best = 0
    best = leastLoss()
  }

  /// Seconds of training between checkpoints; Young, "A first order approximation to the optimum checkpoint interval",
  /// 1974.
  public var young: Double { (2 * costs.checkpoint * life).squareRoot() }

  /// The same to a higher order; Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps",
  /// 2006, equation 37.
  public var daly: Double {
    guard costs.checkpoint < 2 * life else { return life }
    let ratio = (costs.checkpoint / (2 * life)).squareRoot()
    return young * (1 + ratio / 3 + ratio * ratio / 9) - costs.checkpoint
  }

  /// The share of the time that is lost to checkpoints, to work done again, and to restarts, on the average: what Daly's
  /// equation 13 has as the time of a run, beside the time without failures.
  public func expectedLoss(_ interval: Double) -> Double {
    let segment = (interval + costs.checkpoint) / life
    return 1 - interval / (life * exp(costs.restart / life) * expm1(segment))
  }

  /// The same as the lives that were drawn show it.
  public func simulatedLoss(_ interval: Double) -> Double {
    let segment = interval + costs.checkpoint
    guard segment > 0 else { return 1 }
    var (work, time) = (0.0, restarts)
    for life in lives {
      work += (life / segment).rounded(.down) * interval
      time += life
    }
    return time > 0 ? 1 - work / time : 1
  }

  /// By steps of 2^(1/8) around Young's interval.
  ///
  /// Around its least value the loss is flat, and which interval hits it is chance. A parabola through the neighbours in
  /// the logarithm of the interval is steadier.
  private func leastLoss() -> Double {
    let grid = (-24...24).map { young * pow(2, Double($0) / 8) }
    let losses = grid.map(simulatedLoss)
    guard young > 0, let least = losses.indices.min(by: { losses[$0] < losses[$1] }) else { return young }
    let around = max(0, least - 6)...min(grid.count - 1, least + 6)
    let places = around.map { Double($0 - least) }
    let fit = LeastSquares.solve(places.map { [1, $0, $0 * $0] }, around.map { losses[$0] })
    guard let fit, fit[2] > 0 else { return grid[least] }
    let vertex = max(places[0], min(places[places.count - 1], -fit[1] / (2 * fit[2])))
    return grid[least] * pow(2, vertex / 8)
  }
}
