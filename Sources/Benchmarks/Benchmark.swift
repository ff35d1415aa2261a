import Communication
import Configuration
import Failures
import Kernels
import Reporting

/// Measures training, inference, layers, stages of a step and the machine's limits, round after round, on the ranks of a
/// job: what `dtrain bench` does on each.
public struct Benchmark: Sendable {
  public let settings: Settings
  /// Name and version of the program.
  public let program: String
  public let rounds: Int
  /// How long training is measured in a round; inference as long, or until all test images have been seen; layers half
  /// of it, the rest a tenth each.
  public let secondsPerRound: Double
  /// Whether training and the stages of a step are all that is measured.
  public let isOfTrainingAlone: Bool

  public init(
    settings: Settings, program: String, rounds: Int, secondsPerRound: Double, isOfTrainingAlone: Bool = false
  ) {
    self.settings = settings
    self.program = program
    self.rounds = rounds
    self.secondsPerRound = secondsPerRound
    self.isOfTrainingAlone = isOfTrainingAlone
  }

  /// - Returns: the report on rank 0, nil on the others.
  /// - Throws: as a run does.
  public func run(on communicator: any Communicator) throws(Failure) -> BenchmarkReport? {
    let subject = try BenchmarkSubject(settings: settings, program: program, communicator: communicator)
    let reduction = try ReductionMeasurement(
      communicator: communicator, parameterCount: subject.network.parameters.count)
    let threads = try communicator.allGather(
      [Double(subject.threads)], phase: Phase("gathering of the measurements"))
    var report = BenchmarkReport(
      subject: subject.description(
        program: program, threads: Int(threads.reduce(0) { $0 + $1[0] }), secondsPerRound: secondsPerRound))
    report.layers = LayerFigures.list(subject.network)

    let steps = try communicator.repetitions(toTake: secondsPerRound) { (times) throws(Failure) in
      try subject.train(steps: times).seconds
    }
    if isOfTrainingAlone {
      for round in 0..<rounds {
        try measureTraining(subject, steps: steps, &report)
        if round == 0 { try measureProcess(subject, &report) }
      }
      return communicator.rank == 0 ? report : nil
    }
    let passes = try communicator.repetitions(toTake: secondsPerRound) { (times) throws(Failure) in
      try subject.evaluate(passes: times).seconds
    }
    let reductions = try communicator.repetitions(toTake: secondsPerRound / 10) { (times) throws(Failure) in
      try reduction.run(times: times)
    }
    var peaks: PeakMeasurement?
    for _ in 0..<rounds {
      try measureTraining(subject, steps: steps, &report)
      let (evaluated, inferenceSeconds) = try subject.evaluate(passes: passes)
      report.inference.append(Double(evaluated) / inferenceSeconds)
      report.allReduce.append(try reduction.run(times: reductions) / Double(reductions))
      if peaks == nil {
        // Before the buffers of the memory's measurement, which are no part of what a run takes.
        try measureProcess(subject, &report)
        peaks = PeakMeasurement(
          threads: subject.threads,
          neighbours: communicator.hosts.count { $0 == communicator.hosts[communicator.rank] })
      }
      if let peaks { try measurePeaks(peaks, communicator, &report) }
    }
    return communicator.rank == 0 ? report : nil
  }

  /// How many are timed in a round.
  private static let agreements = 20

  private func measureTraining(
    _ subject: BenchmarkSubject, steps: Int, _ report: inout BenchmarkReport
  ) throws(Failure) {
    let (trained, seconds) = try subject.train(steps: steps)
    report.training.append(Double(trained) / seconds)
    report.agreement.append(try subject.agree(times: Self.agreements) / Double(Self.agreements))
    let steps = max(1, steps / 2)
    let (images, totals, transfer) = try subject.trainInStages(steps: steps)
    report.stages.append(totals, transfer: transfer, steps: steps, images: images)
    for layer in report.layers.indices { report.layers[layer].append(totals, layer, images: images) }
  }

  private func measureProcess(_ subject: BenchmarkSubject, _ report: inout BenchmarkReport) throws(Failure) {
    let phase = Phase("gathering of the measurements")
    let starts = try subject.communicator.allGather([subject.firstStepSeconds ?? -1], phase: phase).map { $0[0] }
    report.firstStepSeconds = starts.contains { $0 < 0 } ? nil : starts.max()
    let memory = ProcessMemory.current() ?? ProcessMemory(peak: 0, anonymous: 0, shared: 0, program: 0, data: 0)
    let numbers = [memory.peak, memory.anonymous, memory.shared, memory.program, memory.data].map(Double.init)
    let memories = try subject.communicator.allGather(numbers, phase: phase).map { numbers in
      ProcessMemory(
        peak: Int(numbers[0]), anonymous: Int(numbers[1]), shared: Int(numbers[2]), program: Int(numbers[3]),
        data: Int(numbers[4]))
    }
    report.memory = memories.contains { $0.peak == 0 } ? nil : memories.max { $0.own < $1.own }
  }

  private func measurePeaks(
    _ peaks: PeakMeasurement, _ communicator: any Communicator, _ report: inout BenchmarkReport
  ) throws(Failure) {
    let seconds = secondsPerRound / 10
    let phase = Phase("measurement of the machine")
    try communicator.barrier(phase: phase)
    let operations = try peaks.operationsPerSecond(for: seconds)
    try communicator.barrier(phase: phase)
    let read = peaks.readBytesPerSecond(for: seconds)
    try communicator.barrier(phase: phase)
    let copy = peaks.copyBytesPerSecond(for: seconds)
    let all = try communicator.allGather([operations, read, copy], phase: phase)
    report.peak.append(all.reduce(0) { $0 + $1[0] })
    report.read.append(all.reduce(0) { $0 + $1[1] })
    report.copy.append(all.reduce(0) { $0 + $1[2] })
  }
}

extension LayerFigures {
  mutating func append(_ totals: StageTotals, _ layer: Int, images: Int) {
    forward.append(totals.forward(layer) / Double(images))
    backward.append(totals.backward(layer) / Double(images))
  }
}

extension BenchmarkSubject {
  /// - Parameter threads: of all ranks together.
  func description(program: String, threads: Int, secondsPerRound: Double) -> BenchmarkReport.Subject {
    BenchmarkReport.Subject(
      program: program, processor: processorName() ?? "unknown processor", vectorBits: VectorWidth.used.rawValue,
      communicator: communicator.summary, hosts: communicator.hosts, ranks: communicator.size, threads: threads,
      dataset: data.training.name,
      datasetOrigin: data.training.origin, trainingSamples: data.training.count, testSamples: data.test.count,
      parameters: network.parameters.count, batch: settings.training.batch, microbatch: settings.training.microbatch,
      evaluationMicrobatch: settings.evaluation.microbatch, secondsPerRound: secondsPerRound)
  }
}
