import Failures

/// What may be asked of a trainer to check it, and does not change its bits.
extension Trainer {
  /// An error made on purpose, to see it found.
  public var bitFlip: BitFlip? {
    get { trainingStep.checks.bitFlip }
    set { trainingStep.checks.bitFlip = newValue }
  }

  /// Has the digests of all gradients of one step collected. To be asked for on every rank.
  ///
  /// - Parameter receive: called on rank 0 when the step is made, with the records by microbatch.
  public func recordGradients(ofStep step: Int, receive: @escaping ([GradientRecord]) throws(Failure) -> Void) {
    trainingStep.checks.recording = GradientRecording(
      step: step, leaves: plan.microbatchCount(ofBatch: 0), receive: receive)
  }

  /// Makes the steps up to this one, without evaluations and without telling anybody.
  func advance(to last: Int) throws(Failure) {
    try shareState()
    network.prepareParameters()
    while step < last {
      let (epoch, batch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      _ = try trainingStep.run(step: step + 1, epoch: epoch, batch: batch)
      step += 1
    }
  }
}
