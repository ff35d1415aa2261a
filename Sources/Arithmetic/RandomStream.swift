/// Random numbers that are a pure function of what they are for, never of where or when they are drawn.
///
/// The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011, section 3.3): the key is the seed, the counter is (block, first, second, purpose and layer). One stream
/// holds 2^34 words, then repeats itself.
public struct RandomStream: Sendable {
  /// What the numbers are for: streams of different purposes never meet.
  public enum Purpose: UInt32, Sendable {
    case initialization = 1
    case epochOrder, dropout, augmentation, syntheticDigits, test, testTimeAugmentation, simulation
  }

  private let key: SIMD2<UInt32>
  /// Of the block that is drawn next.
  private var counter: SIMD4<UInt32>
  private var words = SIMD4<UInt32>(repeating: 0)
  /// The place in `words` of the next word, 4 when they are used up.
  private var position = 4
  private var spareNormal: Double?

  /// - Parameters:
  ///   - first: an index of the caller's: the epoch, the step, the sample.
  ///   - second: another one.
  public init(seed: UInt64, purpose: Purpose, layer: UInt16 = 0, first: UInt32 = 0, second: UInt32 = 0) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(0, first, second, purpose.rawValue << 16 | UInt32(layer))
  }

  public mutating func nextUInt32() -> UInt32 {
    if position == 4 {
      words = Self.block(key: key, counter: counter)
      counter[0] &+= 1
      position = 0
    }
    defer { position += 1 }
    return words[position]
  }

  /// The next `count` words, as so many calls of `nextUInt32` would give them, faster.
  public mutating func fill(_ target: UnsafeMutablePointer<UInt32>, count: Int) {
    var place = 0
    while place < count {
      if position == 4 && place + 4 <= count {
        let block = Self.block(key: key, counter: counter)
        counter[0] &+= 1
        UnsafeMutableRawPointer(target + place).storeBytes(of: block, as: SIMD4<UInt32>.self)
        place += 4
      } else {
        target[place] = nextUInt32()
        place += 1
      }
    }
  }

  /// A whole number in [0, bound), each equally likely; 0 where `bound` is 0.
  ///
  /// Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019), algorithm 5: takes one word,
  /// now and then another.
  public mutating func next(below bound: UInt32) -> UInt32 {
    guard bound != 0 else { return 0 }
    var product = nextUInt32().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = nextUInt32().multipliedFullWidth(by: bound) }
    }
    return product.high
  }

  /// A multiple of 2^-53 in [0, 1), each equally likely. Takes two words, the more significant first.
  public mutating func nextUnit() -> Double {
    let high = UInt64(nextUInt32())
    let low = UInt64(nextUInt32())
    return Double(high << 21 | low >> 11) * 0x1p-53
  }

  /// A number of the standard normal distribution.
  ///
  /// Box and Muller's transform ("A note on the generation of random normal deviates", 1958) makes two from four
  /// words; the second is kept for the next call.
  public mutating func nextNormal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let radius = (-2 * ElementaryFunctions.logarithm(1 - nextUnit())).squareRoot()
    let angle = 2 * Double.pi * nextUnit()
    spareNormal = radius * ElementaryFunctions.sine(angle)
    return radius * ElementaryFunctions.cosine(angle)
  }

  /// Four random words: ten rounds of Philox over one counter.
  public static func block(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let even = c0.multipliedFullWidth(by: 0xD251_1F53)
      let odd = c2.multipliedFullWidth(by: 0xCD9E_8D57)
      (c0, c1, c2, c3) = (odd.high ^ c1 ^ k0, odd.low, even.high ^ c3 ^ k1, even.low)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
