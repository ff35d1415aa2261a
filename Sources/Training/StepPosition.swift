/// Which step of a run.
public struct StepPosition: Equatable, Sendable {
  /// Its number in the run, from 1.
  public let step: Int
  /// From 0.
  public let epoch: Int
  /// Its number in the epoch, from 0.
  public let batch: Int

  public init(step: Int, epoch: Int, batch: Int) {
    self.step = step
    self.epoch = epoch
    self.batch = batch
  }

  /// - Parameter step: from 1.
  public init(step: Int, stepsPerEpoch: Int) {
    self.step = step
    (epoch, batch) = (step - 1).quotientAndRemainder(dividingBy: stepsPerEpoch)
  }
}
