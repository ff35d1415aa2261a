/// What a person looks for in a tensor: its size, its range, and whether something went wrong.
public struct TensorSummary: Equatable, Sendable {
  public let name: String
  public let shape: [Int]
  public let count: Int
  /// How many values are infinite or not a number.
  public let nonFinite: Int
  /// Over the finite values; nil where there is none.
  public let statistics: Statistics?

  public struct Statistics: Equatable, Sendable {
    public let minimum: Double
    public let maximum: Double
    public let mean: Double
    /// Of the values as a population: divided by their number, not by one less.
    public let standardDeviation: Double
  }

  public init(_ tensor: Tensor) {
    name = tensor.name
    shape = tensor.shape
    count = tensor.values.count
    var finite = 0
    var sum = 0.0
    var minimum = Double.infinity
    var maximum = -Double.infinity
    for value in tensor.values where value.isFinite {
      finite += 1
      sum += Double(value)
      minimum = min(minimum, Double(value))
      maximum = max(maximum, Double(value))
    }
    nonFinite = count - finite
    guard finite > 0 else {
      statistics = nil
      return
    }
    let mean = sum / Double(finite)
    var squares = 0.0
    for value in tensor.values where value.isFinite {
      let deviation = Double(value) - mean
      squares += deviation * deviation
    }
    statistics = Statistics(
      minimum: minimum, maximum: maximum, mean: mean, standardDeviation: (squares / Double(finite)).squareRoot())
  }
}
