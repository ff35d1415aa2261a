/// Random orders.
public enum Permutation {
  /// Fills `order` with 0 ..< its count in an order that (seed, epoch) alone decide, all orders equally likely.
  ///
  /// Durstenfeld's form of the Fisher–Yates shuffle (Communications of the ACM 7 (1964), algorithm 235), from the
  /// last place down. Allocates nothing.
  ///
  /// - Parameter order: at most 2^32 − 1 places; what they held does not matter.
  public static func fill(_ order: UnsafeMutableBufferPointer<UInt32>, seed: UInt64, epoch: Int) {
    for place in order.indices { order[place] = UInt32(truncatingIfNeeded: place) }
    let number = UInt64(bitPattern: Int64(epoch))
    var stream = RandomStream(
      seed: seed, purpose: .epochOrder, first: UInt32(truncatingIfNeeded: number),
      second: UInt32(truncatingIfNeeded: number >> 32))
    var remaining = order.count
    while remaining > 1 {
      let chosen = Int(stream.next(below: UInt32(truncatingIfNeeded: remaining)))
      remaining -= 1
      order.swapAt(remaining, chosen)
    }
  }

  /// The same into an array.
  public static func fill(_ order: inout [UInt32], seed: UInt64, epoch: Int) {
    order.withUnsafeMutableBufferPointer { fill($0, seed: seed, epoch: epoch) }
  }
}
