/// How the samples of an epoch fall into global batches, and these into microbatches.
///
/// The batches are the epoch's order cut every `batch` samples, a batch's microbatches are the batch cut every
/// `microbatch` samples; the last of either may be shorter. So every sample is in exactly one microbatch an epoch.
/// All ranges are positions in the epoch's order, see ``EpochOrder``.
public struct BatchPlan: Equatable, Sendable {
  public let sampleCount: Int
  public let batch: Int
  public let microbatch: Int

  /// - Parameters:
  ///   - sampleCount: samples an epoch, at least 0.
  ///   - batch: samples a global batch, at least 1.
  ///   - microbatch: samples a microbatch, at least 1; larger than a batch, it leaves one microbatch a batch.
  public init(sampleCount: Int, batch: Int, microbatch: Int) {
    precondition(sampleCount >= 0 && batch >= 1 && microbatch >= 1)
    self.sampleCount = sampleCount
    self.batch = batch
    self.microbatch = microbatch
  }

  public var batchesPerEpoch: Int { Self.pieces(of: sampleCount, size: batch) }

  /// - Parameter batch: in [0, batchesPerEpoch).
  public func samples(ofBatch batch: Int) -> Range<Int> {
    Self.piece(batch, of: 0..<sampleCount, size: self.batch)
  }

  /// The number of leaves that a batch gives to the gradient tree, at least 1.
  public func microbatchCount(ofBatch batch: Int) -> Int {
    Self.pieces(of: samples(ofBatch: batch).count, size: microbatch)
  }

  /// - Parameter microbatch: in [0, microbatchCount(ofBatch: batch)).
  public func samples(ofBatch batch: Int, microbatch: Int) -> Range<Int> {
    Self.piece(microbatch, of: samples(ofBatch: batch), size: self.microbatch)
  }

  private static func pieces(of count: Int, size: Int) -> Int {
    count / size + (count % size == 0 ? 0 : 1)
  }

  private static func piece(_ index: Int, of whole: Range<Int>, size: Int) -> Range<Int> {
    precondition(index >= 0 && index < pieces(of: whole.count, size: size))
    let start = whole.lowerBound + index * size
    return start..<start + min(size, whole.upperBound - start)
  }
}
