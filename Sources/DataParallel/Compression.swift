import Failures

/// In which form gradients travel, where it is not float32 throughout.
///
/// The gradient's tree is cut at the level with `groups` nodes. Of each node its sum and what earlier steps have left is
/// compressed, and what the compression leaves goes into the next step (error feedback: Seide et al., "1-bit stochastic
/// gradient descent", 2014; Karimireddy et al., "Error feedback fixes SignSGD", 2019):
///
///     compressed = C(sum + residual);  residual = sum + residual − decompressed
///
/// What is decompressed is added in the tree's order. All this happens whether or not two groups are on the same rank, so
/// that the bits depend on the form and on `groups`, and on no number of ranks. A group without a microbatch, in a short
/// last batch, sends nothing and keeps its residual.
public struct Compression: Equatable, Sendable {
  public enum Form: Equatable, Sendable {
    /// 16 bits an entry, of magnitudes up to 65504; what a sum has beyond stays in the residual.
    case float16
    /// 16 bits an entry, with the range of float32.
    case bfloat16
    /// 8 bits an entry, and a float32 for each 256.
    case int8
    /// This share of the entries, those of largest magnitude, of equal ones the first: index and float32. Lin et al.,
    /// "Deep gradient compression" (2018).
    case topK(share: Double)
  }

  public let form: Form
  /// A power of two.
  public let groups: Int

  public init(_ form: Form, groups: Int) {
    self.form = form
    self.groups = groups
  }

  /// How many entries of a gradient of `count` travel.
  func keptCount(of count: Int) -> Int {
    guard case .topK(let share) = form else { return count }
    return max(1, min(count, Int((share * Double(count)).rounded(.up))))
  }

  /// What a group sends of a gradient of `count`, in bytes, without the 64 of its statistics.
  public func byteCount(of count: Int) -> Int {
    let padded = (count + GradientVector.unit - 1) / GradientVector.unit * GradientVector.unit
    return switch form {
    case .float16, .bfloat16: 2 * padded
    case .int8: padded + 4 * GradientCodec.scaleCount(of: padded)
    case .topK: 8 * keptCount(of: count)
    }
  }

  /// Makes sure that a full batch fills the groups and the groups fill the ranks.
  ///
  /// - Throws: a `.configuration` failure that names the setting.
  public func check(leaves: Int, ranks: Int) throws(Failure) {
    try GradientTree.check(groups: groups, of: "communication.compression_groups", leaves: leaves, ranks: ranks)
  }
}
