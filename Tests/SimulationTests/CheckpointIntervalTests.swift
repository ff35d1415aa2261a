import Testing

@testable import Simulation

@Suite struct CheckpointIntervalTests {
  /// A failure every 10,000 s, 50 s a checkpoint, 100 s a restart.
  private let interval = CheckpointInterval(
    FailureCosts(nodeLife: 640_000, checkpoint: 50, restart: 100), nodes: 64, seed: 3)

  @Test func theFormulasGiveWhatTheirPapersSay() {
    #expect(interval.life == 10_000)
    #expect(interval.young.isNear(1000))
    let daly = 1000 * (1 + 0.05 / 3 + 0.0025 / 9) - 50
    #expect(interval.daly.isNear(daly))
    // A checkpoint that takes longer than nodes live: as rarely as they fail.
    #expect(CheckpointInterval(FailureCosts(nodeLife: 10, checkpoint: 50, restart: 0), nodes: 1, seed: 0).daly == 10)
  }

  @Test func theSimulationFindsTheIntervalOfTheFormula() {
    #expect(interval.best.isNear(interval.daly, by: 0.08))
    #expect(interval.best.isNear(interval.young, by: 0.1))
    // Around its least value the loss hardly changes.
    #expect(interval.simulatedLoss(interval.daly) < interval.simulatedLoss(interval.best) * 1.01)
    #expect(interval.simulatedLoss(interval.young) < interval.simulatedLoss(interval.best) * 1.01)
  }

  @Test func theSimulationLosesWhatIsExpected() {
    for seconds in [200, 1000, 5000.0] {
      #expect(interval.simulatedLoss(seconds).isNear(interval.expectedLoss(seconds), by: 0.02))
    }
    #expect(interval.simulatedLoss(interval.daly / 3) > 1.3 * interval.simulatedLoss(interval.daly))
    #expect(interval.simulatedLoss(interval.daly * 3) > 1.3 * interval.simulatedLoss(interval.daly))
  }

  @Test func restartsThatAreCutOffBeginAnew() {
    let costs = FailureCosts(nodeLife: 1000, checkpoint: 10, restart: 700)
    let interval = CheckpointInterval(costs, nodes: 1, seed: 5)
    #expect(interval.simulatedLoss(150).isNear(interval.expectedLoss(150), by: 0.02))
  }

  @Test func theSameSeedDrawsTheSame() {
    let costs = FailureCosts(nodeLife: 1000, checkpoint: 10, restart: 7)
    #expect(CheckpointInterval(costs, nodes: 2, seed: 1) == CheckpointInterval(costs, nodes: 2, seed: 1))
    #expect(CheckpointInterval(costs, nodes: 2, seed: 1) != CheckpointInterval(costs, nodes: 2, seed: 2))
  }
}
