import Foundation
import Optimizers
import Testing

@Suite struct LearningRateScheduleTests {
  private func rates(_ change: (inout LearningRateSchedule) -> Void, steps: Int = 60) -> [Double] {
    var schedule = LearningRateSchedule()
    schedule.peak = 0.4
    schedule.epochs = 5
    change(&schedule)
    return (1...steps).map { schedule.rate(ofStep: $0, stepsPerEpoch: 10) }
  }

  private func expect(_ rates: [Double], _ closedForm: (_ step: Double) -> Double) {
    for (index, rate) in rates.enumerated() { #expect(abs(rate - closedForm(Double(index + 1))) <= 1e-12) }
  }

  @Test func constantStays() {
    #expect(rates { _ in } == [Double](repeating: 0.4, count: 60))
  }

  @Test func stepsFallAtTheEndsOfEpochs() {
    expect(rates { $0.shape = .step(factor: 0.5, everyEpochs: 2) }) { 0.4 * pow(0.5, (($0 - 1) / 20).rounded(.down)) }
  }

  @Test func cosineEndsWhereItShould() {
    expect(rates { $0.shape = .cosine(end: 0.1) }) { step in
      0.04 + 0.36 * (1 + cos(.pi * min(1, (step - 1) / 50))) / 2
    }
  }

  @Test func linearEndsWhereItShould() {
    expect(rates { $0.shape = .linear(end: 0.25) }) { step in 0.4 - 0.3 * min(1, (step - 1) / 50) }
  }

  @Test func warmsUpInAStraightLineBeforeAll() {
    let warm = rates {
      $0.warmupEpochs = 1
      $0.warmupSteps = 5
      $0.shape = .cosine(end: 0)
    }
    expect(warm) { step in
      step <= 15 ? 0.4 * step / 15 : 0.2 * (1 + cos(.pi * min(1, (step - 16) / 35)))
    }
    #expect(warm[14] == 0.4 && warm[15] == 0.4 && warm[59] == 0)
    #expect(rates { $0.warmupSteps = 4 }.prefix(5) == [0.1, 0.2, 0.4 * 0.75, 0.4, 0.4])
  }

  @Test func aWarmupMayTakeTheWholeSchedule() {
    let all = rates {
      $0.warmupEpochs = 6
      $0.shape = .linear(end: 0)
    }
    #expect(all.last == 0.4)
    #expect(all.allSatisfy { $0.isFinite })
  }
}
