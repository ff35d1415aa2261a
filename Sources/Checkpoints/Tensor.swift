/// A named array of float32, by value: a snapshot that outlives the buffer it was copied from.
public struct Tensor: Equatable, Sendable {
  /// "W1", "b1", ….
  public let name: String
  /// The sizes of its dimensions, the slowest first; empty for a single number.
  public let shape: [Int]
  /// Row-major, as many as the shape's product.
  public let values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }

  public init(name: String, shape: [Int], copying values: UnsafeBufferPointer<Float>) {
    self.init(name: name, shape: shape, values: Array(values))
  }

  /// The number of elements of a shape, nil where a size is negative or the product does not fit an `Int`.
  package static func count(of shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }
}

extension Tensor {
  /// The order in which parameters are stored and digested: W1, b1, W2, b2, …, W10, b10.
  ///
  /// By the number at the end of the name, then by the name's bytes, of which capitals come first; names without a number
  /// come last.
  public static func inNumericOrder(_ first: Tensor, _ second: Tensor) -> Bool {
    let (firstNumber, secondNumber) = (number(atEndOf: first.name), number(atEndOf: second.name))
    if firstNumber != secondNumber { return firstNumber < secondNumber }
    return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
  }

  private static func number(atEndOf name: String) -> Int {
    let digits = name.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int(String(decoding: digits.reversed(), as: UTF8.self)) ?? .max
  }
}

/// Text of unknown origin as it may stand in a message or a table: short, and in printable ASCII.
package func printable(_ text: String) -> String {
  let scalars = text.unicodeScalars
  let shown = scalars.prefix(60).map { $0.value >= 0x20 && $0.value < 0x7f ? String($0) : $0.escaped(asASCII: true) }
  return shown.joined() + (scalars.count > 60 ? "..." : "")
}
