/// Floats at a cache line's start, random or all the same. Never freed: a pointer would not keep its owner alive.
struct Memory {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  init(_ count: Int, repeating value: Float = 0) {
    self.count = count
    pointer = UnsafeMutableRawPointer.allocate(byteCount: (count + Self.guardCount) * 4, alignment: 64)
      .initializeMemory(as: Float.self, repeating: value, count: count + Self.guardCount)
    for i in count..<count + Self.guardCount { pointer[i] = 4321 }
  }

  private static let guardCount = 64
  /// Whether nothing was written behind it.
  var isIntact: Bool { (count..<count + Self.guardCount).allSatisfy { pointer[$0] == 4321 } }

  /// Uniform in (−1, 1).
  init(_ count: Int, random: inout TestRandom) {
    self.init(count)
    for i in 0..<count { pointer[i] = random.nextFloat() }
  }

  subscript(_ index: Int) -> Double { Double(pointer[index]) }
  var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// SplitMix64: random shapes and values for tests.
struct TestRandom {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func next(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(next() % UInt64(range.count)) }

  mutating func nextFloat() -> Float { Float(Int64(next() >> 40) - (1 << 23)) / Float(1 << 23) }
}

/// Unit roundoff of float.
let roundoff = 0x1p-24
