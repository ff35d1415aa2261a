import Communication
import Configuration
import Datasets
import Failures
import Foundation
import Testing
import Training

@testable import Timeline

/// A run of a small network with a timeline.
private struct TracedRun {
  /// The file, read back.
  struct Event {
    let name: String
    let phase: String
    let rank: Int
    let thread: Int
    /// In nanoseconds, as they were before they were written.
    let start: Double
    let duration: Double
    let arguments: [String: Any]
    var end: Double { start + duration }
  }

  let events: [Event]
  let otherData: [String: Any]

  static let steps = 4
  static let microbatches = 5

  init(replicas: Int, threads: Int, capacity: Int = 1 << 16) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "timeline-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "trace.json").path
    _ = try InProcessReplicas.run(count: replicas) { (communicator) throws(Failure) in
      try Self.train(communicator, threads: threads, capacity: capacity, path: path)
    }
    let text = try Data(contentsOf: URL(fileURLWithPath: path))
    let root = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
    otherData = try #require(root["otherData"] as? [String: Any])
    events = try #require(root["traceEvents"] as? [[String: Any]]).map { event in
      Event(
        name: try #require(event["name"] as? String), phase: try #require(event["ph"] as? String),
        rank: try #require(event["pid"] as? Int), thread: try #require(event["tid"] as? Int),
        start: (((event["ts"] as? Double) ?? 0) * 1000).rounded(),
        duration: (((event["dur"] as? Double) ?? 0) * 1000).rounded(),
        arguments: (event["args"] as? [String: Any]) ?? [:])
    }
  }

  private static func train(
    _ communicator: any Communicator, threads: Int, capacity: Int, path: String
  ) throws(Failure) {
    var settings = Settings()
    settings.model.filters = [8, 8]
    settings.model.filterSizes = [3, 3]
    settings.model.paddings = [1, 1]
    settings.model.strides = [2, 2]
    settings.model.hiddenSize = 16
    settings.training.batch = 10
    settings.training.microbatch = 2
    settings.evaluation.microbatch = 4
    let network = try settings.makeNetwork(for: ImageShape(channels: 1, height: 28, width: 28))
    network.parameters.initialize(seed: 0)
    let trainer = try Trainer(
      network: network, optimizer: settings.makeOptimizer(for: network.parameters),
      training: try SyntheticDigits(subset: .training, count: 40), test: try SyntheticDigits(subset: .test, count: 21),
      schedule: settings.schedule(maximumSteps: steps, threads: threads), communicator: communicator)
    let record = RankTimeline(
      recorder: TimelineRecorder(path: path, program: "a \"program\"", isQuiet: true),
      layers: network.segment.layers.map(\.name), threads: threads, capacity: capacity, clockOffset: 0,
      communicator: communicator)
    trainer.stepObserver = record
    _ = try trainer.run()
    try record.finish()
  }

  /// Of one rank, complete events by name.
  func complete(_ rank: Int, thread: Int? = nil, _ name: String? = nil) -> [Event] {
    events.filter {
      $0.phase == "X" && $0.rank == rank && (thread == nil || $0.thread == thread) && (name == nil || $0.name == name)
    }
  }

  /// Those that lie inside another.
  func inside(_ parent: Event, _ names: Set<String>) -> [Event] {
    complete(parent.rank, thread: parent.thread).filter {
      names.contains($0.name) && $0.start >= parent.start && $0.end <= parent.end
    }
  }
}

@Suite struct TraceFileTests {
  @Test(arguments: [(1, 1), (2, 1), (3, 1), (1, 3), (2, 2)])
  func aRunIsThereWithAllItsRanksStepsAndLayers(replicas: Int, threads: Int) throws {
    let run = try TracedRun(replicas: replicas, threads: threads)
    #expect(run.otherData["moments_dropped"] as? Int == 0)
    #expect(run.otherData["program"] as? String == "a \"program\"")
    #expect(Set(run.events.map(\.rank)) == Set(0..<replicas))
    for rank in 0..<replicas {
      #expect(Set(run.complete(rank).map(\.thread)) == Set(0..<threads))
      #expect(
        run.complete(rank, "step").map { $0.arguments["step"] as? Int } == (1...TracedRun.steps).map { $0 })
      #expect(run.complete(rank, "evaluation").count == 1)
      #expect(run.complete(rank, "start of the program").count == 1)
      for thread in 0..<threads {
        expectNesting(run.complete(rank, thread: thread).map { ($0.start, $0.end) })
        let names = run.events.filter { $0.phase == "M" && $0.rank == rank && $0.thread == thread }.map(\.name)
        #expect(names.contains("thread_name"))
      }
      #expect(run.events.contains { $0.phase == "M" && $0.rank == rank && $0.name == "process_name" })
    }
    // Every microbatch of every step once, whoever computed it; of the evaluation, 21 samples in fours.
    let microbatches = (0..<replicas).flatMap { run.complete($0, "microbatch") }
    #expect(microbatches.count == TracedRun.steps * TracedRun.microbatches + 6)
    #expect(microbatches.count { $0.arguments["microbatch"] as? Int == 0 } == TracedRun.steps + 1)
    #expect(
      (0..<replicas).flatMap { run.complete($0, "convolution 1 backward") }.count
        == TracedRun.steps * TracedRun.microbatches)
  }

  @Test func partsAddUpToTheirWhole() throws {
    let run = try TracedRun(replicas: 2, threads: 1)
    let phases: Set = [
      "order of the epoch", "microbatch", "local additions", "exchange of subtrees", "finishing the tree",
      "exchange of results", "update", "weights for the kernels",
    ]
    for rank in 0..<2 {
      let steps = run.complete(rank, "step")
      #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.end <= $1.start })
      for step in steps {
        let parts = run.inside(step, phases)
        #expect(parts.reduce(0) { $0 + $1.duration } <= step.duration)
        #expect(parts.count { $0.name == "update" } == 1)
        // The step begins and ends with its phases: nothing of note is left out.
        #expect(try #require(parts.last).end <= step.end && parts[0].start >= step.start)
      }
      for exchange in run.complete(rank, "exchange of subtrees") {
        let parts = run.inside(exchange, ["transfer", "waiting for rank \(1 - rank)"])
        #expect(abs(parts.reduce(0) { $0 + $1.duration } - exchange.duration) < 1)
      }
      for pass in run.complete(rank, "forward") {
        let layers = run.complete(rank).filter {
          $0.name.hasSuffix(" forward") && $0.start >= pass.start && $0.end <= pass.end
        }
        #expect(abs(layers.reduce(0) { $0 + $1.duration } - pass.duration) < 1)
      }
    }
    // Nobody waits for itself, and of two ranks at most one waits at a time.
    #expect(run.complete(0, "waiting for rank 0").isEmpty && run.complete(1, "waiting for rank 1").isEmpty)
  }

  @Test func whatWasDroppedIsSaid() throws {
    let run = try TracedRun(replicas: 2, threads: 1, capacity: 64)
    let dropped = try #require(run.otherData["moments_dropped"] as? Int)
    let byRank = try #require(run.otherData["moments_dropped_by_rank"] as? [Int])
    #expect(dropped > 0 && byRank.count == 2 && byRank.reduce(0, +) == dropped)
    #expect(run.otherData["moments_kept_a_thread"] as? Int == 64)
    for rank in 0..<2 {
      let marks = run.events.filter { $0.phase == "i" && $0.rank == rank }
      #expect(marks.count == 1 && marks[0].arguments["dropped"] as? Int == byRank[rank])
      expectNesting(run.complete(rank).map { ($0.start, $0.end) })
      // What is left is the end.
      #expect(run.complete(rank, "step").isEmpty)
    }
  }

  @Test func aRunThatStopsAsAskedHasItsTimeline() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "timeline-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "trace.json").path
    var settings = Settings()
    settings.dataset.name = .syntheticDigits
    settings.dataset.trainingSamples = 100
    settings.dataset.testSamples = 10
    var run = TrainingRun(
      settings: settings, settingsOrigin: "", program: "test", folder: folder.appending(path: "run").path,
      progress: .none, isQuiet: true, recorder: TimelineRecorder(path: path, program: "test", isQuiet: true))
    run.isStopRequested = { true }
    let prepared = run
    let failure = #expect(throws: Failure.self) {
      try InProcessReplicas.run(count: 2) { (communicator) throws(Failure) in try prepared.run(on: communicator) }
    }
    #expect(failure?.code == .preempted)
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    let events = try #require((root as? [String: Any])?["traceEvents"] as? [[String: Any]])
    #expect(events.filter { $0["name"] as? String == "step" }.map { $0["pid"] as? Int } == [0, 1])
  }

  @Test func aPlaceWhereNoFileCanBeIsToldBeforeTheRun() {
    let failure = #expect(throws: Failure.self) { try TraceFile.probe("/dev/null/trace.json") }
    #expect(failure?.code == .cannotCreate)
    #expect(failure?.cause.hasPrefix("/dev/null: ") == true)
  }
}
