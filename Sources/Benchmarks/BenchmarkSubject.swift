import Communication
import Configuration
import Datasets
import Digests
import Failures
import NeuralNetwork
import Reporting
import Training

/// What is measured, on one rank of a job: the steps and evaluations of a run, without what a run writes.
final class BenchmarkSubject {
  let settings: Settings
  let communicator: any Communicator
  let data: BenchmarkData
  let network: Network
  /// Computing threads of this rank.
  let threads: Int
  let clock: StageClock
  /// From the start of this process to the end of its first step; nil where the system does not tell.
  let firstStepSeconds: Double?
  private let trainer: Trainer
  private var stepsMade = 0

  /// Makes the first step.
  ///
  /// - Parameter program: name and version, which have to be the same on every rank.
  /// - Throws: as a run does before its first step.
  init(settings: Settings, program: String, communicator: any Communicator) throws(Failure) {
    self.settings = settings
    self.communicator = communicator
    try communicator.agree(
      on: SHA256.of("\(program)\n\(settings.agreementDigest)").bytes, what: "program or configuration",
      phase: Phase("agreement on the configuration"))
    data = try BenchmarkData(settings)
    for dataset in [data.training, data.test] {
      try communicator.agree(on: dataset.sampleDigest.bytes, what: "data set", phase: Phase("agreement on the data"))
    }
    network = try settings.makeNetwork(for: data.training.imageShape)
    network.parameters.initialize(seed: settings.seed)
    network.prepareParameters()
    threads = settings.threads(on: communicator)
    clock = StageClock(layers: network.segment.layers.count, threads: threads)
    trainer = try Trainer(
      network: network,
      makeOptimizer: { [network] in settings.makeOptimizer(for: network.parameters, count: $0) },
      training: data.training, test: data.test, schedule: settings.schedule(maximumSteps: nil, threads: threads),
      communicator: communicator)
    _ = try trainer.trainingStep.run(step: 1, epoch: 0, batch: 0)
    stepsMade = 1
    firstStepSeconds = ProcessStart.elapsedSeconds()
  }

  /// Trains on.
  ///
  /// - Parameter afterStep: told after each step.
  /// - Returns: the images, over all ranks, and the time on this one.
  func train(steps: Int, afterStep: () -> Void = {}) throws(Failure) -> (images: Int, seconds: Double) {
    var images = 0
    try communicator.barrier(phase: Phase("measurement of training"))
    let start = monotonicSeconds()
    for _ in 0..<steps {
      let (epoch, batch) = stepsMade.quotientAndRemainder(dividingBy: trainer.stepsPerEpoch)
      images += try trainer.trainingStep.run(step: stepsMade + 1, epoch: epoch, batch: batch).samples
      stepsMade += 1
      afterStep()
    }
    return (images, monotonicSeconds() - start)
  }

  /// Brings a word of each rank to all.
  ///
  /// - Returns: seconds on this rank, all times together.
  func agree(times: Int) throws(Failure) -> Double {
    let phase = Phase("measurement of the agreement")
    let words = WordExchange(communicator: communicator, count: 1)
    try communicator.barrier(phase: phase)
    let start = monotonicSeconds()
    for _ in 0..<times { try words.gather(phase: phase) }
    return monotonicSeconds() - start
  }

  /// Evaluates all test images a number of times.
  func evaluate(passes: Int) throws(Failure) -> (images: Int, seconds: Double) {
    try communicator.barrier(phase: Phase("measurement of inference"))
    let start = monotonicSeconds()
    for _ in 0..<passes { _ = try trainer.evaluation.run(step: stepsMade) }
    return (passes * data.test.count, monotonicSeconds() - start)
  }

  /// Trains on with a clock for each stage and layer, which costs less than a hundredth.
  ///
  /// - Returns: the images over all ranks, the stages of all ranks, and the seconds of the exchanges that are transfer: in
  ///   each step what the rank that came last took, which waited for nobody.
  func trainInStages(steps: Int) throws(Failure) -> (images: Int, totals: StageTotals, transfer: Double) {
    clock.reset()
    var exchanges: [Double] = []
    exchanges.reserveCapacity(steps)
    var before = 0.0
    trainer.trainingStep.observer = clock
    defer { trainer.trainingStep.observer = nil }
    let (images, seconds) = try train(steps: steps) {
      let now = clock.exchangeSeconds
      exchanges.append(now - before)
      before = now
    }
    let exchangesOfRanks = try communicator.allGather(exchanges, phase: Phase("gathering of the measurements"))
    let transfer = exchanges.indices.reduce(0) { sum, step in
      sum + (exchangesOfRanks.lazy.map { $0[step] }.min() ?? 0)
    }
    let all = try communicator.allGather(
      clock.seconds + [seconds], phase: Phase("gathering of the measurements"))
    return (images, StageTotals(all, layers: network.segment.layers.count), transfer)
  }
}

extension Communicator {
  /// How often something has to be done to take some time, as rank 0 found out by doing it until a quarter of that time
  /// was over; at least once.
  ///
  /// - Parameter work: does it so many times; returns the seconds that took.
  func repetitions(
    toTake seconds: Double, _ work: (_ times: Int) throws(Failure) -> Double
  ) throws(Failure) -> Int {
    var times = 1
    while true {
      let taken = try work(times)
      let next = try agreedCount(
        taken >= seconds / 4 ? -max(1, Int((Double(times) * seconds / taken).rounded())) : times * 4)
      if next < 0 { return -next }
      times = next
    }
  }

  /// Every rank's numbers on every rank, as many on each.
  func allGather(_ numbers: [Double], phase: Phase) throws(Failure) -> [[Double]] {
    let bytes = numbers.withUnsafeBytes { Array($0) }
    return try allGather(bytes, phase: phase).map { bytes in
      bytes.withUnsafeBytes { bytes in
        (0..<numbers.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
      }
    }
  }

  /// Rank 0's count.
  func agreedCount(_ count: Int) throws(Failure) -> Int {
    Int(try allGather([Double(count)], phase: Phase("agreement on the length of a measurement"))[0][0])
  }
}
