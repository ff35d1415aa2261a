/// A number of the cost model, which a measurement or an option tells. The raw value is the option's name.
public enum CostFigure: String, CaseIterable, Sendable {
  case imagesPerSecond = "images-per-second"
  case contention
  case spread
  case stepSpread = "step-spread"
  case update = "update-ns"
  case fixed = "fixed-ms"
  case turn = "turn-share"
  case addition = "addition-ns"
  case latency = "latency-us"
  case gap = "gap-us"
  case bandwidth = "bandwidth-gbit"
  case nodeLatency = "node-latency-us"
  case nodeGap = "node-gap-us"
  case nodeBandwidth = "node-bandwidth-gbit"
  case memory = "memory-mb"

  /// What it is, in the unit of the option.
  public var meaning: String {
    switch self {
    case .imagesPerSecond: "images a second of one rank that computes alone"
    case .contention: "share by which each further rank that computes on a node slows all of them"
    case .spread: "standard deviation of a rank's time from step to step, as a share of it"
    case .stepSpread: "the same of all ranks at once"
    case .update: "nanoseconds that the optimizer takes for a parameter"
    case .fixed: "milliseconds of a step besides"
    case .turn: "share by which computing takes longer where ranks take turns on a core"
    case .addition: "nanoseconds to add up 1000 bytes of a gradient"
    case .latency: "microseconds from a message's last byte sent to its arrival, between nodes"
    case .gap: "microseconds for which a message holds the link beside its bytes, between nodes"
    case .bandwidth: "Gbit/s of a node's link, each way"
    case .nodeLatency: "the latency within a node"
    case .nodeGap: "the gap within a node"
    case .nodeBandwidth: "Gbit/s from rank to rank within a node"
    case .memory: "MB of a rank with the measured network"
    }
  }

  /// How many of the option's unit make one of the model's, which are seconds, bytes and shares.
  var scale: Double {
    switch self {
    case .imagesPerSecond, .contention, .spread, .stepSpread, .turn: 1
    case .update: 1e9
    case .fixed: 1e3
    case .addition: 1e12
    case .latency, .gap, .nodeLatency, .nodeGap: 1e6
    case .bandwidth, .nodeBandwidth: 8e-9
    case .memory: 1e-6
    }
  }

  /// Whether 0 makes no sense.
  public var isPositive: Bool {
    switch self {
    case .imagesPerSecond, .bandwidth, .nodeBandwidth, .memory: true
    default: false
    }
  }
}

/// The figures that are known, and where each is from.
public struct CostFigures: Equatable, Sendable {
  public struct Entry: Equatable, Sendable {
    /// In the unit of the option.
    public let value: Double
    public let source: String
    /// Of the fit that it comes from: see `LeastSquares.Solution`. Nil where there was none.
    public let residual: Double?
  }

  public private(set) var entries: [CostFigure: Entry] = [:]
  /// Bytes by which a rank's memory grows with each rank of the job.
  public internal(set) var bytesPerRank = 0.0
  /// Whether the rate of images is that of the network which was measured, not of the one that is simulated.
  public internal(set) var rateIsMeasured = false

  public init() {}

  /// Sets what an option says, in its unit.
  public mutating func override(_ figure: CostFigure, _ value: Double) {
    entries[figure] = Entry(value: value, source: "--\(figure.rawValue)", residual: nil)
    if figure == .imagesPerSecond { rateIsMeasured = false }
    if figure == .memory { bytesPerRank = 0 }
  }

  /// - Parameter value: in seconds, bytes and shares.
  mutating func set(_ figure: CostFigure, _ value: Double, from source: String, residual: Double? = nil) {
    entries[figure] = Entry(value: value * figure.scale, source: source, residual: residual)
  }

  /// In seconds, bytes and shares; nil where nothing tells.
  func value(_ figure: CostFigure) -> Double? { entries[figure].map { $0.value / figure.scale } }
}
