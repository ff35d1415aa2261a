import Failures

/// An error of a processor, made on purpose to see it found: one bit of one number on one rank is turned over.
///
/// The environment variable `DTRAIN_FLIP` asks for it: `weights|gradient:RANK:STEP[:INDEX]`.
public struct BitFlip: Equatable, Sendable {
  public enum Target: String, CaseIterable, Sendable {
    /// A parameter, after the step's update.
    case weights
    /// A number of the gradient of one microbatch: the one whose turn it is to be verified.
    case gradient
  }

  public static let variable = "DTRAIN_FLIP"

  public let target: Target
  public let rank: Int
  public let step: Int
  /// Of the number, in the order of the parameters.
  public let index: Int

  public init(_ target: Target, rank: Int, step: Int, index: Int = 0) {
    self.target = target
    self.rank = rank
    self.step = step
    self.index = index
  }

  /// - Parameter text: the variable's value.
  /// - Throws: `.usage` where it is none.
  public init(_ text: String) throws(Failure) {
    let words = text.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = words.dropFirst().compactMap { Int($0) }.filter { $0 >= 0 }
    guard let first = words.first, let target = Target(rawValue: String(first)), numbers.count == words.count - 1,
      numbers.count == 2 || numbers.count == 3
    else {
      throw Failure(
        .usage, "\(Self.variable)=\(text) asks for no error",
        remedy: "write weights:RANK:STEP, gradient:RANK:STEP, or either with :INDEX, or unset it")
    }
    self.init(target, rank: numbers[0], step: numbers[1], index: numbers.count > 2 ? numbers[2] : 0)
  }

  /// Turns over the lowest bit, if this is the place and the time.
  func apply(to values: UnsafeMutablePointer<Float>, count: Int, target: Target, rank: Int, step: Int) {
    guard target == self.target, rank == self.rank, step == self.step, index < count else { return }
    values[index] = Float(bitPattern: values[index].bitPattern ^ 1)
  }
}
