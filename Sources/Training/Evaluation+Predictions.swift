import Communication
import DataParallel
import Datasets
import Failures

extension Evaluation {
  /// Evaluates, and brings every sample's scores to rank 0.
  ///
  /// - Parameter step: steps made so far, for the message of an error.
  /// - Returns: the predictions on rank 0, nil on the others.
  /// - Throws: as `run(step:)` does.
  public func runWithPredictions(step: Int? = nil) throws(Failure) -> (result: Result, predictions: Predictions?) {
    let classes = workers[0].classes
    let count = dataset.count * classes
    let scores = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
    scores.initialize(repeating: 0, count: count)
    defer { scores.deallocate() }
    let result = try run(step: step, scores: scores)
    let tree = GradientTree(leaves: plan.microbatchCount(ofBatch: 0), ranks: communicator.size)
    func part(ofRank rank: Int) -> UnsafeMutableRawBufferPointer {
      let leaves = tree.leaves(ofRank: rank)
      let first = min(leaves.lowerBound * plan.microbatch, dataset.count) * classes
      let last = min(leaves.upperBound * plan.microbatch, dataset.count) * classes
      return UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: scores + first, count: last - first))
    }
    let phase = Phase("gathering of the predictions", step: step)
    guard communicator.rank == 0 else {
      try communicator.exchange(
        sending: [Transfer(peer: 0, tag: 0, bytes: part(ofRank: communicator.rank))], phase: phase)
      return (result, nil)
    }
    try communicator.exchange(
      receiving: (1..<max(1, communicator.size)).map { Transfer(peer: $0, tag: 0, bytes: part(ofRank: $0)) },
      phase: phase)
    var pixels = [UInt8](repeating: 0, count: dataset.imageShape.pixelCount)
    let labels = pixels.withUnsafeMutableBufferPointer { buffer in
      (0..<dataset.count).map { sample in buffer.baseAddress.map { dataset.read(sample, into: $0) } ?? 0 }
    }
    return (
      result,
      Predictions(classes: classes, labels: labels, scores: Array(UnsafeBufferPointer(start: scores, count: count)))
    )
  }
}
