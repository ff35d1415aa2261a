// Passes over flat buffers that look at bits and leave them as they are.

private typealias Words = SIMD8<UInt32>

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Words {
  UnsafeRawPointer(pointer + offset).loadUnaligned(as: Words.self)
}

/// A fixed hash of the bits of floats, to compare the same buffer on several ranks in a fraction of a millisecond.
///
/// Sixteen lanes of 32 bits, each over every sixteenth float: h ← (h ^ bits) · p, then h ← h ^ (h >> 15), which can be
/// undone, so that one float that differs always gives another hash; two and more that differ give the same one by
/// chance only. It is no defence against somebody who means to deceive.
public enum BitHash {
  private static let multiplier: UInt32 = 0x9E37_79B1
  private static let foldMultiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// - Parameters:
  ///   - values: [count].
  ///   - seed: the hash of what comes before them.
  public static func of(_ values: UnsafePointer<Float>, count: Int, seed: UInt64 = 0) -> UInt64 {
    let lanes = Words(0, 1, 2, 3, 4, 5, 6, 7)
    var first = lanes ^ Words(repeating: UInt32(truncatingIfNeeded: seed))
    var second = (lanes | Words(repeating: 8)) ^ Words(repeating: UInt32(truncatingIfNeeded: seed >> 32))
    let multipliers = Words(repeating: multiplier)
    let shift = Words(repeating: 15)
    var offset = 0
    while offset + 16 <= count {
      first = (first ^ load(values, offset)) &* multipliers
      first = first ^ (first &>> shift)
      second = (second ^ load(values, offset + 8)) &* multipliers
      second = second ^ (second &>> shift)
      offset += 16
    }
    var hash = UInt64(truncatingIfNeeded: count)
    for lane in 0..<8 { hash = fold(hash, first[lane]) }
    for lane in 0..<8 { hash = fold(hash, second[lane]) }
    while offset < count {
      hash = fold(hash, values[offset].bitPattern)
      offset += 1
    }
    return hash
  }

  @inline(__always)
  private static func fold(_ hash: UInt64, _ word: UInt32) -> UInt64 {
    let product = (hash ^ UInt64(word)) &* foldMultiplier
    return product ^ (product &>> 29)
  }
}

/// Whether all numbers of a buffer are finite.
public enum FiniteCheck {
  /// - Parameter values: [count].
  public static func allAreFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
    // An exponent of ones alone, plus one at its lowest place, carries into the sign.
    let exponent = Words(repeating: 0x7F80_0000)
    let one = Words(repeating: 0x0080_0000)
    var carries = Words(repeating: 0)
    var offset = 0
    while offset + 8 <= count {
      carries |= (load(values, offset) & exponent) &+ one
      offset += 8
    }
    var isFinite = carries.max() < 0x8000_0000
    while offset < count {
      isFinite = isFinite && values[offset].isFinite
      offset += 1
    }
    return isFinite
  }

  /// The largest magnitude of the numbers; where one is not finite, neither is this.
  ///
  /// - Parameters:
  ///   - values: [count].
  ///   - count: a multiple of 8.
  public static func largestMagnitude(_ values: UnsafePointer<Float>, count: Int) -> Float {
    // Without the sign, the patterns of floats are in the order of their magnitudes, infinity and what is no number last.
    let magnitude = Words(repeating: 0x7FFF_FFFF)
    var largest = Words(repeating: 0)
    var offset = 0
    while offset < count {
      let words = load(values, offset) & magnitude
      largest.replace(with: words, where: words .> largest)
      offset += 8
    }
    return Float(bitPattern: largest.max())
  }
}
