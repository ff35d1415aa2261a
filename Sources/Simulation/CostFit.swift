import DataParallel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Makes the figures of the cost model out of what was measured, each by least squares in closed form.
public struct CostFit: Sendable {
  /// The training that was measured.
  public var scale: ScaleMeasurement?
  /// The numbers of ranks of it that count; nil: all.
  public var fittedRanks: Set<Int>?
  public var allReduces: [AllReduceMeasurement]
  /// The network that was measured.
  public var measured: Workload
  /// Bytes of the gradient that is simulated: vectors of more than four times as many are left out, which fit no cache.
  public var gradientBytes: Int

  private static let usualTurn = 0.3
  /// The sizes of which no caches matter.
  private static let alwaysTaken = 64 << 10

  public init(
    scale: ScaleMeasurement?, fittedRanks: Set<Int>?, allReduces: [AllReduceMeasurement], measured: Workload,
    gradientBytes: Int
  ) {
    self.scale = scale
    self.fittedRanks = fittedRanks
    self.allReduces = allReduces
    self.measured = measured
    self.gradientBytes = gradientBytes
  }

  /// The rows of `scale` that count.
  var rows: [ScaleMeasurement.Row] {
    (scale?.rows ?? []).filter { fittedRanks?.contains($0.ranks) ?? true }
  }

  public var figures: CostFigures {
    var figures = CostFigures()
    if let scale, !rows.isEmpty {
      fitComputation(scale, &figures)
      fitSpread(scale, &figures)
      fitRest(scale, &figures)
      fitTurn(scale, &figures)
    }
    fitLinks(&figures)
    return figures
  }

  private func source(_ scale: ScaleMeasurement, _ rows: [ScaleMeasurement.Row], _ what: String) -> String {
    "\(scale.name), \(rows.map { "\($0.ranks)" }.joined(separator: ", ")) ranks: \(what)"
  }

  /// computation = images of a rank · threads to a core · seconds an image · (1 + contention · (computing - 1)).
  private func fitComputation(_ scale: ScaleMeasurement, _ figures: inout CostFigures) {
    let columns = rows.map { row in
      let nodes = scale.nodes(row)
      let images = Double(row.batch) / Double(row.ranks) * nodes.crowding(of: 0)
      return [images, images * (nodes.computing(besides: 0) - 1)]
    }
    guard let fit = LeastSquares.nonNegative(columns, rows.map(\.computation)), fit.coefficients[0] > 0 else { return }
    let source = source(scale, rows, "computation_milliseconds")
    figures.set(.imagesPerSecond, 1 / fit.coefficients[0], from: source, residual: fit.residual)
    figures.set(
      .contention, fit.coefficients[1] / fit.coefficients[0], from: source, residual: fit.residual)
    figures.rateIsMeasured = true
  }

  /// The ranks wait for the slowest of them, which is as many standard deviations late as the largest of so many normal
  /// numbers is on the average. What one has more to compute than another is no spread. Where ranks share cores, waiting
  /// is for a core: such rows count only where there are no others.
  private func fitSpread(_ scale: ScaleMeasurement, _ figures: inout CostFigures) {
    let several = rows.filter { $0.ranks > 1 && $0.waiting.isFinite }
    let alone = several.filter { scale.nodes($0).crowding(of: 0) == 1 }
    let taken = alone.isEmpty ? several : alone
    var (products, squares) = (0.0, 0.0)
    for row in taken {
      let expected = row.computation * Self.largestOfNormals(row.ranks)
      products += expected * (row.waiting - row.computation * unevenness(row, scale.microbatch))
      squares += expected * expected
    }
    if squares > 0 {
      figures.set(.spread, max(0, products / squares), from: source(scale, taken, "waiting_milliseconds"))
    }
    let varied = rows.filter { $0.steps.count > 1 }
    let variances = varied.map { row in
      let mean = row.steps.reduce(0, +) / Double(row.steps.count)
      return row.steps.reduce(0) { $0 + ($1 / mean - 1) * ($1 / mean - 1) } / Double(row.steps.count - 1)
    }
    guard !varied.isEmpty else { return }
    figures.set(
      .stepSpread, (variances.reduce(0, +) / Double(varied.count)).squareRoot(),
      from: source(scale, varied, "step_milliseconds_rounds"))
  }

  /// By what share the rank with most images has more than the mean.
  private func unevenness(_ row: ScaleMeasurement.Row, _ microbatch: Int) -> Double {
    let tree = GradientTree(leaves: (row.batch + microbatch - 1) / microbatch, ranks: row.ranks)
    let most = (0..<row.ranks).map { tree.leaves(ofRank: $0).count }.max() ?? 0
    return Double(most * row.ranks) / Double(tree.leaves) - 1
  }

  private func fitRest(_ scale: ScaleMeasurement, _ figures: inout CostFigures) {
    let crowding = rows.map { scale.nodes($0).crowding(of: 0) }
    let updated = zip(rows, crowding).filter { $0.0.update > 0 }
    let update = LeastSquares.nonNegative(
      updated.map { [Double(measured.parameters) * $0.1] }, updated.map { $0.0.update })
    if let update {
      figures.set(
        .update, update.coefficients[0], from: source(scale, updated.map(\.0), "update_milliseconds"),
        residual: update.residual)
    }
    let rests = zip(rows, crowding).map { $0.rest / $1 }
    figures.set(
      .fixed, max(0, rests.reduce(0, +) / Double(rests.count)),
      from: source(scale, rows, "batch by images_per_second, less a step's parts"))
    let told = rows.filter { $0.ownBytes > 0 }
    if let memory = LeastSquares.nonNegative(told.map { [1, Double($0.ranks)] }, told.map(\.ownBytes)) {
      figures.set(
        .memory, memory.coefficients[0], from: source(scale, told, "own_bytes"), residual: memory.residual)
      figures.bytesPerRank = memory.coefficients[1]
    }
  }

  /// What steps with more ranks than cores take longer than their work does, as a share of the computing; their exchange with
  /// it, which is mostly waiting for turns there. Where none was measured it is taken from two machines of two cores under
  /// Linux 6.1, on which 4 and 8 ranks lost 0.16 to 0.35 of 12 to 56 ms.
  private func fitTurn(_ scale: ScaleMeasurement, _ figures: inout CostFigures) {
    let crowded = rows.filter { scale.nodes($0).crowding(of: 0) > 1 }
    guard let rate = figures.value(.imagesPerSecond), !crowded.isEmpty else {
      return figures.set(.turn, Self.usualTurn, from: "two cores under Linux 6.1")
    }
    let lost = crowded.map { row in
      let nodes = scale.nodes(row)
      let contention = 1 + (figures.value(.contention) ?? 0) * (nodes.computing(besides: 0) - 1)
      let own = (figures.value(.update) ?? 0) * Double(measured.parameters) + (figures.value(.fixed) ?? 0)
      let computing = Double(row.batch) / Double(row.ranks) / rate * contention * nodes.crowding(of: 0)
      let step = Double(row.batch) / row.imagesPerSecond
      return max(0, step - computing - own * nodes.crowding(of: 0)) / computing
    }
    figures.set(
      .turn, lost.reduce(0, +) / Double(lost.count), from: source(scale, crowded, "batch by images_per_second"))
  }

  // MARK: - Links

  private struct Exchange {
    var counts: ExchangeSchedule.Counts
    var seconds: Double
  }

  private func fitLinks(_ figures: inout CostFigures) {
    for isOfOneNode in [true, false] {
      let files = allReduces.filter { $0.isOfOneNode == isOfOneNode }
      let cores = isOfOneNode ? scale?.cores : nil
      // Ranks that share cores wait for their turn besides: such files count only where there are no others.
      let alone = files.filter { $0.ranks <= cores ?? .max }
      let taken = alone.isEmpty ? files : alone
      if !taken.isEmpty {
        let names = taken.map(\.name).joined(separator: ", ")
        fit(exchanges(taken, cores), isOfOneNode, "\(names): ordered_microseconds_median", &figures)
      } else if let scale, (scale.hosts == 1) == isOfOneNode {
        let several = rows.filter { $0.ranks > 1 && $0.transfer > 0 && (isOfOneNode || $0.ranks <= scale.hosts) }
        fit(exchanges(several, scale), isOfOneNode, source(scale, several, "transfer_milliseconds"), &figures)
      }
    }
  }

  private func exchanges(_ files: [AllReduceMeasurement], _ cores: Int?) -> [Exchange] {
    files.flatMap { file in
      let crowding = max(1, Double(file.ranks) / Double(cores ?? file.ranks))
      return file.sizes.filter { $0.bytes <= max(Self.alwaysTaken, 4 * gradientBytes) }
        .map { Exchange(counts: file.counts($0), seconds: $0.seconds / crowding) }
    }
  }

  private func exchanges(_ rows: [ScaleMeasurement.Row], _ scale: ScaleMeasurement) -> [Exchange] {
    rows.map { row in
      let leaves = (row.batch + scale.microbatch - 1) / scale.microbatch
      let schedule = ExchangeSchedule(
        tree: GradientTree(leaves: leaves, ranks: row.ranks), parameterCount: measured.parameters,
        ranksPerNode: scale.nodes(row).ranksPerNode)
      return Exchange(counts: schedule.counts, seconds: row.transfer / scale.nodes(row).crowding(of: 0))
    }
  }

  private func fit(_ exchanges: [Exchange], _ isOfOneNode: Bool, _ source: String, _ figures: inout CostFigures) {
    // Adding is the same on any link, so the first fit tells it for the second.
    let addition = figures.value(.addition)
    let known = exchanges.map { $0.counts.added * (addition ?? 0) }
    let left = zip(exchanges, known).filter { $0.0.seconds > $0.1 }
    let columns = left.map { exchange, _ in
      let counts = exchange.counts
      return [counts.latencies, counts.gaps, counts.bytes] + (addition == nil ? [counts.added] : [])
    }
    guard let fit = LeastSquares.nonNegative(columns, left.map { $0.0.seconds - $0.1 }) else { return }
    let costs = fit.coefficients
    figures.set(isOfOneNode ? .nodeLatency : .latency, costs[0], from: source, residual: fit.residual)
    figures.set(isOfOneNode ? .nodeGap : .gap, costs[1], from: source, residual: fit.residual)
    figures.set(isOfOneNode ? .nodeBandwidth : .bandwidth, 1 / costs[2], from: source, residual: fit.residual)
    if addition == nil { figures.set(.addition, costs[3], from: source, residual: fit.residual) }
  }

  /// The mean of the largest of so many numbers of the standard normal distribution, by Simpson's rule.
  static func largestOfNormals(_ count: Int) -> Double {
    guard count > 1 else { return 0 }
    let (steps, limit) = (2000, 9.0)
    let width = 2 * limit / Double(steps)
    let sum = (0...steps).reduce(0.0) { sum, step in
      let x = -limit + Double(step) * width
      let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4 : 2
      let below = erfc(-x / 2.0.squareRoot()) / 2
      return sum + weight * x * exp(-x * x / 2) * pow(below, Double(count - 1))
    }
    return sum * width / 3 * Double(count) / (2 * Double.pi).squareRoot()
  }
}
