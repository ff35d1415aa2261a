import Communication
import DataParallel
import NeuralNetwork
import Training

/// Adds up the time that a rank spends in each stage of its steps.
///
/// Unchecked: each worker has counters of its own, which are read between steps.
final class StageClock: StepObserver, @unchecked Sendable {
  /// The thread that runs the steps, by stage of a step.
  enum Stage: Int, CaseIterable {
    case ordering, computation, addition, scattering, finishing, gathering, update, preparation
  }

  private let layers: Int
  private let main = Counters(count: Stage.allCases.count)
  private let workers: [WorkerClock]

  init(layers: Int, threads: Int) {
    self.layers = layers
    workers = (0..<threads).map { _ in WorkerClock(layers: layers) }
  }

  func reset() {
    main.reset()
    for worker in workers { worker.counters.reset() }
  }

  /// Seconds of this rank: by stage; loading and loss; forward by layer; backward by layer. The latter of all threads
  /// together.
  var seconds: [Double] {
    var sums = [UInt64](repeating: 0, count: WorkerClock.count(layers: layers))
    for worker in workers {
      for (place, value) in worker.counters.nanoseconds.enumerated() { sums[place] += value }
    }
    return (main.nanoseconds + sums).map { Double($0) * 1e-9 }
  }

  /// Seconds of this rank in exchanges, to and fro.
  var exchangeSeconds: Double {
    let places = [Stage.scattering, .gathering].map(\.rawValue)
    return Double(places.reduce(0) { $0 + main.nanoseconds[$1] }) * 1e-9
  }

  func enters(_ stage: StepStage) {
    switch stage {
    case .ordering: main.enter(Stage.ordering.rawValue)
    case .update: main.enter(Stage.update.rawValue)
    case .preparation: main.enter(Stage.preparation.rawValue)
    case .step, .evaluation, .idle: main.enter(nil)
    }
  }

  func worker(_ worker: Int, enters stage: ReductionStage) {
    guard worker == 0 else { return }
    switch stage {
    // With several workers the first to be done is idle until the others are: that is still computation.
    case .computation: main.enter(Stage.computation.rawValue)
    case .addition: main.enter(Stage.addition.rawValue)
    case .scattering: main.enter(Stage.scattering.rawValue)
    case .finishing: main.enter(Stage.finishing.rawValue)
    case .gathering: main.enter(Stage.gathering.rawValue)
    case .idle: main.enter(workers.count > 1 ? Stage.computation.rawValue : nil)
    }
  }

  func worker(_ worker: Int, computes microbatch: Int) {}

  func workspaceObserver(ofWorker worker: Int) -> any WorkspaceObserver { workers[worker] }
}

/// Nanoseconds by place, of which one is counting at a time.
private final class Counters {
  private(set) var nanoseconds: [UInt64]
  private var current: Int?
  private var since: UInt64 = 0

  init(count: Int) { nanoseconds = Array(repeating: 0, count: count) }

  func reset() {
    for place in nanoseconds.indices { nanoseconds[place] = 0 }
    current = nil
  }

  func enter(_ place: Int?) {
    let now = monotonicNanoseconds()
    if let current { nanoseconds[current] += now - since }
    current = place
    since = now
  }
}

private final class WorkerClock: WorkspaceObserver {
  static func count(layers: Int) -> Int { 2 + 2 * layers }

  let counters: Counters
  private let layers: Int

  init(layers: Int) {
    self.layers = layers
    counters = Counters(count: Self.count(layers: layers))
  }

  func enters(_ stage: WorkspaceStage) {
    switch stage {
    case .loading: counters.enter(0)
    case .loss: counters.enter(1)
    case .forward(let layer): counters.enter(2 + layer)
    case .backward(let layer), .completion(let layer): counters.enter(2 + layers + layer)
    case .idle: counters.enter(nil)
    }
  }
}

/// The stages of the steps of all ranks, from `StageClock.seconds` of each and, behind it, the seconds that its steps took
/// in all.
struct StageTotals: Equatable {
  private let sums: [Double]
  private let ranks: Int
  private let layers: Int

  init(_ seconds: [[Double]], layers: Int) {
    self.layers = layers
    ranks = seconds.count
    sums = (seconds.first ?? []).indices.map { place in seconds.reduce(0) { $0 + $1[place] } }
  }

  /// The steps in all: the mean over the ranks, as of the stages.
  var wholeSeconds: Double { (sums.last ?? 0) / Double(ranks) }

  /// The mean over the ranks.
  func seconds(_ stage: StageClock.Stage) -> Double { sums[stage.rawValue] / Double(ranks) }

  /// Of all ranks and threads together.
  var loading: Double { sums[StageClock.Stage.allCases.count] }
  var loss: Double { sums[StageClock.Stage.allCases.count + 1] }
  func forward(_ layer: Int) -> Double { sums[StageClock.Stage.allCases.count + 2 + layer] }
  func backward(_ layer: Int) -> Double { sums[StageClock.Stage.allCases.count + 2 + layers + layer] }
}
