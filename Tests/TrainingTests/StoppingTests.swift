import Checkpoints
import Communication
import DataParallel
import Failures
import Foundation
import NeuralNetwork
import Testing

@testable import Training

@Suite struct StoppingTests {
  private func trainer(_ job: SmallJob, _ communicator: any Communicator) throws(Failure) -> Trainer {
    let network = try job.network()
    if communicator.rank == 0 { network.parameters.initialize(seed: job.settings.seed) }
    return try Trainer(
      network: network, optimizer: job.settings.makeOptimizer(for: network.parameters),
      training: try job.dataset(.training), test: try job.dataset(.test),
      schedule: job.settings.schedule(maximumSteps: nil, threads: 1), communicator: communicator)
  }

  /// Asks to stop when a step has begun; counts the questions, of which there is one a microbatch.
  private final class Request {
    var questions = 0
    let last: Int

    init(afterQuestions last: Int) { self.last = last }

    func isSet() -> Bool {
      questions += 1
      return questions > last
    }
  }

  @Test(arguments: 1...4) func oneRankThatIsAskedStopsAllAfterTheSameStep(_ ranks: Int) throws {
    let job = SmallJob()
    for asked in 0..<ranks {
      let steps = try InProcessReplicas.run(count: ranks) { (communicator) throws(Failure) in
        let trainer = try trainer(job, communicator)
        let request = Request(afterQuestions: 3)
        if communicator.rank == asked { trainer.isStopRequested = request.isSet }
        do throws(Failure) { _ = try trainer.run() } catch {
          guard error.code == .preempted else { throw error }
        }
        return trainer.step
      }
      #expect(Set(steps).count == 1 && steps[0] >= 1 && steps[0] < 8, "\(steps)")
    }
  }

  @Test func duringAnEvaluationToo() throws {
    let job = SmallJob()
    // Four steps of 5, 5, 5 and 4 microbatches, then the first evaluation.
    let request = Request(afterQuestions: 20)
    let trainer = try trainer(job, SingleProcess())
    trainer.isStopRequested = request.isSet
    let recorder = Recorder()
    let failure = #expect(throws: Failure.self) { try trainer.run(observer: recorder) }
    #expect(failure?.code == .preempted)
    #expect(trainer.step == 4 && recorder.results.isEmpty)
  }

  /// What is written then are the weights, and not their average in their place.
  @Test(arguments: [(1, false), (2, false), (2, true), (3, true)])
  func anEvaluationThatIsStoppedLeavesWeightsAndAverageInTheirPlaces(ranks: Int, isSharded: Bool) throws {
    var job = SmallJob()
    job.settings.optimizer.averageDecay = 0.9
    job.settings.optimizer.sharded = isSharded
    let settings = job.settings
    func states(isStopped: Bool) throws -> [[[Float]]] {
      try InProcessReplicas.run(count: ranks) { [job] (communicator) throws(Failure) in
        let network = try job.network()
        if communicator.rank == 0 { network.parameters.initialize(seed: settings.seed) }
        let trainer = try Trainer(
          network: network, makeOptimizer: { settings.makeOptimizer(for: network.parameters, count: $0) },
          training: try job.dataset(.training), test: try job.dataset(.test),
          schedule: settings.schedule(maximumSteps: 4, threads: 1), communicator: communicator)
        if isStopped { trainer.isStopRequested = { [unowned trainer] in trainer.step == 4 } }
        do throws(Failure) {
          _ = try trainer.run()
          #expect(!isStopped)
        } catch {
          guard isStopped, error.code == .preempted else { throw error }
        }
        let kept = trainer.keptStates.map { $0.values }
        return ([network.parameters.values] + (communicator.rank == 0 ? kept : [])).map {
          Array(UnsafeBufferPointer(start: $0, count: network.parameters.count))
        }
      }
    }
    let stopped = try states(isStopped: true)
    #expect(stopped == (try states(isStopped: false)))
    // Weights, two moments and the average, which is not the weights.
    #expect(stopped[0].count == 4 && stopped[0][0] != stopped[0][3])
  }

  @Test func anErrorOfTheWriterComesWithTheNextStep() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "dtrain-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    var job = SmallJob()
    job.settings.checkpoint.everySteps = 2
    let trainer = try trainer(job, SingleProcess())
    let recorder = Recorder()
    // A folder that cannot be made, since a file has its name.
    let observer = try CheckpointObserver(
      of: trainer, in: CheckpointStore(folder: file.path), settings: job.settings, writtenStep: 0, next: recorder,
      prepare: {})
    defer { observer.close() }
    let failure = #expect(throws: Failure.self) { try trainer.run(observer: observer) }
    #expect(failure?.code == .cannotCreate)
    #expect(failure?.cause.hasPrefix(file.path) == true)
    #expect(trainer.step == 4)
    #expect(throws: Failure.self) { try observer.finish() }
  }
}
