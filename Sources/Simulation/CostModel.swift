import Failures

/// What a message costs between two ranks: latency, gap and bytes of the LogGP model (Alexandrov, Ionescu, Schauser and
/// Scheiman, "LogGP: incorporating long messages into the LogP model", 1995).
public struct LinkCost: Equatable, Sendable {
  /// Seconds from a message's last byte sent to its arrival.
  public var latency: Double
  /// Seconds for which a message holds the link beside its bytes.
  public var gap: Double
  /// Bytes a second, each way at once.
  public var bandwidth: Double

  public init(latency: Double, gap: Double, bandwidth: Double) {
    self.latency = latency
    self.gap = gap
    self.bandwidth = bandwidth
  }

  /// Seconds for which a message holds the link.
  func holding(_ bytes: Int) -> Double { gap + Double(bytes) / bandwidth }
}

/// What a step is made of, in seconds, bytes and shares.
public struct CostModel: Equatable, Sendable {
  /// Of one rank that computes alone.
  public var secondsPerImage: Double
  /// Share by which each further rank that computes on a node slows all of them: caches, memory and clock are shared.
  public var contention = 0.0
  /// Standard deviation of a rank's time of computing, as a share of it, drawn for each rank and step.
  public var spread = 0.0
  /// The same for all ranks at once, drawn for each step.
  public var stepSpread = 0.0
  public var updateSecondsPerParameter = 0.0
  /// Seconds of a step that are none of its other parts.
  public var fixedSeconds = 0.0
  /// Share of a core's computing by which a step is longer where a node has more ranks than cores: who is done has turns
  /// too, and the last one's come late.
  public var turnShare = 0.0
  public var additionSecondsPerByte = 0.0
  /// Between nodes, whose ranks share one; nil where nobody tells.
  public var network: LinkCost?
  /// Between two ranks of a node, each of which has its own.
  public var node: LinkCost?

  public init(secondsPerImage: Double) { self.secondsPerImage = secondsPerImage }

  /// - Parameters:
  ///   - figures: what is known.
  ///   - workload: the network that is simulated.
  ///   - measured: that which the figures are of.
  /// - Throws: `.usage` where nothing says how fast a rank is.
  public init(_ figures: CostFigures, for workload: Workload, measured: Workload) throws(Failure) {
    guard let rate = figures.value(.imagesPerSecond), rate > 0 else {
      throw Failure(
        .usage, "nothing says how many images a second a rank computes",
        remedy: "give --scale scale.json, which dtrain scale writes, or --images-per-second")
    }
    let factor = figures.rateIsMeasured ? workload.operations / measured.operations : 1
    secondsPerImage = factor / rate
    contention = figures.value(.contention) ?? 0
    spread = figures.value(.spread) ?? 0
    stepSpread = figures.value(.stepSpread) ?? 0
    updateSecondsPerParameter = figures.value(.update) ?? 0
    fixedSeconds = figures.value(.fixed) ?? 0
    turnShare = figures.value(.turn) ?? 0
    additionSecondsPerByte = figures.value(.addition) ?? 0
    network = Self.link(figures, .latency, .gap, .bandwidth)
    node = Self.link(figures, .nodeLatency, .nodeGap, .nodeBandwidth)
  }

  private static func link(
    _ figures: CostFigures, _ latency: CostFigure, _ gap: CostFigure, _ bandwidth: CostFigure
  ) -> LinkCost? {
    guard let latency = figures.value(latency), let bandwidth = figures.value(bandwidth) else { return nil }
    return LinkCost(latency: latency, gap: figures.value(gap) ?? 0, bandwidth: bandwidth)
  }

  /// - Throws: `.usage` where ranks are to talk over a link of which nothing is known.
  func require(_ nodes: NodeLayout) throws(Failure) {
    if nodes.count > 1, network == nil {
      throw Failure(
        .usage, "\(nodes.ranks) ranks are on \(nodes.count) nodes, and nothing says what a message between nodes costs",
        remedy: "give --latency-us and --bandwidth-gbit, an --allreduce file measured between nodes, or a larger "
          + "--ranks-per-node")
    }
    if nodes.ranks > nodes.count, node == nil {
      throw Failure(
        .usage,
        "\(nodes.ranks) ranks are \(nodes.ranksPerNode) to a node, and nothing says what a message within one costs",
        remedy: "give --node-latency-us and --node-bandwidth-gbit, or an --allreduce file measured on one node")
    }
  }
}

/// Which ranks are on which node: the first ones on the first.
public struct NodeLayout: Equatable, Sendable {
  public let ranks: Int
  public let ranksPerNode: Int
  /// Of a node; nil where each rank has as many as it has threads.
  public let cores: Int?
  public let threadsPerRank: Int

  public init(ranks: Int, ranksPerNode: Int, cores: Int? = nil, threadsPerRank: Int = 1) {
    self.ranks = ranks
    self.ranksPerNode = ranksPerNode
    self.cores = cores
    self.threadsPerRank = max(1, threadsPerRank)
  }

  /// How many nodes there are.
  public var count: Int { (ranks + ranksPerNode - 1) / ranksPerNode }

  func node(of rank: Int) -> Int { rank / ranksPerNode }

  /// The ranks of each node.
  var ranksOfNodes: [Range<Int>] {
    stride(from: 0, to: ranks, by: ranksPerNode).map { $0..<($0 + neighbours(of: $0)) }
  }

  /// How many ranks the node of a rank has.
  func neighbours(of rank: Int) -> Int {
    min(ranksPerNode, ranks - node(of: rank) * ranksPerNode)
  }

  /// How many ranks can compute at once on the node of a rank.
  func computing(besides rank: Int) -> Double {
    let here = Double(neighbours(of: rank))
    return cores.map { min(here, max(1, Double($0) / Double(threadsPerRank))) } ?? here
  }

  /// How many times as long a rank takes as its node has fewer cores than threads.
  func crowding(of rank: Int) -> Double { Double(neighbours(of: rank)) / computing(besides: rank) }
}
