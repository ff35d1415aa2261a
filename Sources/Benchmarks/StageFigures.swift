/// What the stages of a step cost, in seconds a step: the mean over the ranks, by round.
public struct StageFigures: Equatable, Sendable {
  /// The gradients of this rank's microbatches.
  public internal(set) var computation = Rounds(.lower)
  /// Adding the gradients of a rank.
  public internal(set) var additions = Rounds(.lower)
  /// Waiting for the slowest rank and moving gradients, to and fro.
  public internal(set) var exchange = Rounds(.lower)
  /// Of the exchange what the rank took that came last, which waited for nobody; step by step.
  public internal(set) var transfer = Rounds(.lower)
  /// The rest of the exchange.
  public internal(set) var waiting = Rounds(.lower)
  /// Finishing the tree for a slice, and dividing it.
  public internal(set) var finishing = Rounds(.lower)
  /// The optimizer.
  public internal(set) var update = Rounds(.lower)
  /// Bringing the new weights into the kernels' form.
  public internal(set) var preparation = Rounds(.lower)
  /// Reading samples, and softmax with loss: seconds of one thread, an image. Both are part of the computation.
  public internal(set) var loading = Rounds(.lower)
  public internal(set) var loss = Rounds(.lower)
  /// The whole step.
  public internal(set) var step = Rounds(.lower)
  /// The share of the step that is exchange.
  public internal(set) var communicationShare = Rounds(.lower)

  /// - Parameter transfer: seconds of all steps.
  mutating func append(_ totals: StageTotals, transfer: Double, steps: Int, images: Int) {
    let exchanged = totals.seconds(.scattering) + totals.seconds(.gathering)
    computation.append(totals.seconds(.computation) / Double(steps))
    additions.append(totals.seconds(.addition) / Double(steps))
    exchange.append(exchanged / Double(steps))
    self.transfer.append(transfer / Double(steps))
    waiting.append(max(0, exchanged - transfer) / Double(steps))
    finishing.append(totals.seconds(.finishing) / Double(steps))
    update.append(totals.seconds(.update) / Double(steps))
    preparation.append(totals.seconds(.preparation) / Double(steps))
    loading.append(totals.loading / Double(images))
    loss.append(totals.loss / Double(images))
    step.append(totals.wholeSeconds / Double(steps))
    communicationShare.append(exchanged / totals.wholeSeconds)
  }
}
