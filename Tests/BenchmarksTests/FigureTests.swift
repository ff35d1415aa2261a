import DataParallel
import Failures
import Models
import NeuralNetwork
import Testing

@testable import Benchmarks

@Suite struct FigureTests {
  @Test func bestAndMedianOfRounds() {
    #expect(Rounds(.higher, [3, 1, 2]).best == 3)
    #expect(Rounds(.lower, [3, 1, 2]).best == 1)
    #expect(Rounds(.lower, [3, 1, 2]).median == 2)
    #expect(Rounds(.higher, [4, 1, 2, 3]).median == 2.5)
    #expect(Rounds(.higher, [7]).median == 7)
    #expect(Rounds(.higher).best.isNaN && Rounds(.higher).median.isNaN)
  }

  /// The figures of design and literature: 17.5 MFLOP an image forward, three times that in training but for the first
  /// layer's gradient of the images.
  @Test func operationsOfDeepConvNet() throws {
    let network = try DeepConvNet().network(inputShape: FeatureShape(channels: 1, height: 28, width: 28))
    let layers = LayerFigures.list(network)
    #expect(layers.map(\.name).prefix(7).last == "affine 7")
    #expect(layers[0].forwardOperations == 2 * 16 * 28 * 28 * 9)
    #expect(layers[0].backwardOperations == layers[0].forwardOperations)
    #expect(layers[3].backwardOperations == 2 * 2 * 32 * 16 * 16 * 32 * 9)
    #expect(layers[6].backwardOperations == 2 * 2 * 1024 * 50)
    let forward = layers.reduce(0) { $0 + $1.forwardOperations }
    let backward = layers.reduce(0) { $0 + $1.backwardOperations }
    #expect(abs(Double(forward) - 17.5e6) < 0.1e6)
    #expect(abs(Double(forward + backward) - 52.4e6) < 0.1e6)
  }

  /// The stages are handed from one to the next without a gap, each to its own counter.
  @Test func theClockGivesEachStageItsTime() {
    let clock = StageClock(layers: 2, threads: 2)
    #expect(clock.seconds.count == StageClock.Stage.allCases.count + 2 + 4)
    clock.enters(.step(1))
    clock.worker(0, enters: .computation)
    for worker in 0..<2 {
      let observer = clock.workspaceObserver(ofWorker: worker)
      observer.enters(.loading)
      observer.enters(.forward(layer: 1))
      observer.enters(.backward(layer: 1))
      observer.enters(.completion(layer: 1))
      observer.enters(.idle)
      clock.worker(worker, enters: .idle)
    }
    // The second worker's stages do not touch the step's.
    clock.worker(1, enters: .addition)
    clock.worker(0, enters: .gathering)
    clock.worker(0, enters: .idle)
    clock.enters(.update)
    clock.enters(.idle)
    let seconds = clock.seconds
    let used: [StageClock.Stage] = [.computation, .gathering, .update]
    for stage in StageClock.Stage.allCases { #expect((seconds[stage.rawValue] > 0) == used.contains(stage)) }
    let totals = StageTotals([seconds + [2], seconds + [4]], layers: 2)
    #expect(totals.wholeSeconds == 3)
    #expect(totals.seconds(.gathering) == seconds[StageClock.Stage.gathering.rawValue])
    #expect(totals.loading > 0 && totals.loss == 0)
    #expect(totals.forward(0) == 0 && totals.forward(1) > 0 && totals.backward(0) == 0 && totals.backward(1) > 0)
    clock.reset()
    #expect(clock.seconds.allSatisfy { $0 == 0 })
  }
}
