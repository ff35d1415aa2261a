import Foundation
import Testing

@testable import Arithmetic

/// Distance in units in the last place, through the order of the bit patterns.
private func distance(_ a: Double, _ b: Double) -> UInt64 {
  if a == b || (a.isNaN && b.isNaN) { return 0 }
  if a.isNaN || b.isNaN { return .max }
  func ordered(_ x: Double) -> Int64 {
    let bits = Int64(bitPattern: x.bitPattern)
    return bits < 0 ? Int64.min &- bits : bits
  }
  return (ordered(a) &- ordered(b)).magnitude
}

private func points(_ count: Int, _ layer: UInt16, _ range: ClosedRange<Double>) -> [Double] {
  var stream = RandomStream(seed: 7, purpose: .test, layer: layer)
  return (0..<count).map { _ in range.lowerBound + stream.nextUnit() * (range.upperBound - range.lowerBound) }
}

@Suite("Elementary functions agree with the C library to one unit in the last place")
struct ElementaryFunctionsAccuracy {
  @Test(arguments: [-1.0...1.0, -20.0...20.0, -708.0...709.7])
  func exponential(_ range: ClosedRange<Double>) {
    for x in points(40_000, 1, range) {
      #expect(distance(ElementaryFunctions.exponential(x), Foundation.exp(x)) <= 1, "exp(\(x))")
    }
  }

  @Test(arguments: [0.5...2.0, 0.99...1.01, 1e-300...1e-290, 0...1e6])
  func logarithm(_ range: ClosedRange<Double>) {
    for x in points(40_000, 2, range) {
      #expect(distance(ElementaryFunctions.logarithm(x), Foundation.log(x)) <= 1, "log(\(x))")
    }
  }

  @Test(arguments: [-0.8...0.8, -7.0...7.0, -1e5...1e5, -1e9...1e9])
  func sineAndCosine(_ range: ClosedRange<Double>) {
    for x in points(40_000, 3, range) {
      #expect(distance(ElementaryFunctions.sine(x), Foundation.sin(x)) <= 1, "sin(\(x))")
      #expect(distance(ElementaryFunctions.cosine(x), Foundation.cos(x)) <= 1, "cos(\(x))")
    }
  }

  @Test("near the multiples of π/2, where the reduction cancels most")
  func reduction() {
    for n in [1.0, 2, 3, 4, 5, 100, 1_001, 65_537, 600_000, 683_565_275] {
      let x = n * (Double.pi / 2)
      #expect(distance(ElementaryFunctions.sine(x), Foundation.sin(x)) <= 1, "sin(\(n) π/2)")
      #expect(distance(ElementaryFunctions.cosine(x), Foundation.cos(x)) <= 1, "cos(\(n) π/2)")
    }
  }

  @Test func realPowers() {
    let bases = points(40_000, 4, 0...30)
    let exponents = points(40_000, 5, -200...200)
    for (base, exponent) in zip(bases, exponents) {
      let ours = ElementaryFunctions.power(base, exponent)
      #expect(distance(ours, Foundation.pow(base, exponent)) <= 1, "pow(\(base), \(exponent))")
    }
  }

  @Test func wholePowers() {
    let bases = points(20_000, 6, -2...2)
    var stream = RandomStream(seed: 7, purpose: .test, layer: 7)
    for base in bases {
      let exponent = Int(stream.next(below: 400)) - 200
      let ours = ElementaryFunctions.power(base, exponent)
      #expect(distance(ours, Foundation.pow(base, Double(exponent))) <= 1, "pow(\(base), \(exponent))")
    }
    for step in [1, 2, 600, 12_000, 100_000] {
      for base in [0.9, 0.999] {
        let ours = ElementaryFunctions.power(base, step)
        #expect(distance(ours, Foundation.pow(base, Double(step))) <= 1, "pow(\(base), \(step))")
      }
    }
  }

  @Test("numbers below the normal ones")
  func subnormal() {
    for x in points(10_000, 8, -745...(-708)) {
      #expect((ElementaryFunctions.exponential(x) - Foundation.exp(x)).magnitude <= .leastNonzeroMagnitude, "exp(\(x))")
    }
    for x in [Double.leastNonzeroMagnitude, Double.leastNormalMagnitude / 100, Double.leastNormalMagnitude.nextDown] {
      #expect(distance(ElementaryFunctions.logarithm(x), Foundation.log(x)) <= 1)
    }
    #expect(ElementaryFunctions.power(2, -1_070) == 0x1p-1070)
  }
}

@Suite("Elementary functions at the ends of their ranges")
struct ElementaryFunctionsLimits {
  @Test func exponential() {
    #expect(ElementaryFunctions.exponential(0) == 1)
    #expect(ElementaryFunctions.exponential(.infinity) == .infinity)
    #expect(ElementaryFunctions.exponential(-.infinity) == 0)
    #expect(ElementaryFunctions.exponential(.nan).isNaN)
    #expect(ElementaryFunctions.exponential(709.78).isFinite)
    #expect(ElementaryFunctions.exponential(709.79) == .infinity)
    #expect(ElementaryFunctions.exponential(-745.13) == .leastNonzeroMagnitude)
    #expect(ElementaryFunctions.exponential(-745.14) == 0)
    #expect(ElementaryFunctions.exponential(.greatestFiniteMagnitude) == .infinity)
  }

  @Test func logarithm() {
    #expect(ElementaryFunctions.logarithm(1) == 0)
    #expect(ElementaryFunctions.logarithm(0) == -.infinity)
    #expect(ElementaryFunctions.logarithm(.infinity) == .infinity)
    #expect(ElementaryFunctions.logarithm(-1).isNaN)
    #expect(ElementaryFunctions.logarithm(.nan).isNaN)
  }

  @Test func sineAndCosine() {
    #expect(ElementaryFunctions.sine(0) == 0)
    #expect(ElementaryFunctions.cosine(0) == 1)
    for x in [Double.infinity, -.infinity, .nan, 0x1p31, .greatestFiniteMagnitude] {
      #expect(ElementaryFunctions.sine(x).isNaN)
      #expect(ElementaryFunctions.cosine(x).isNaN)
    }
    #expect(ElementaryFunctions.sine(1e-300) == 1e-300)
  }

  @Test("special cases of powers are those of the C library, signs of zero included")
  func powers() {
    let values: [Double] = [
      0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 1e300, -1e300, 1e-300, 0x1p53, 0x1p60, .infinity, -.infinity,
      .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    for base in values {
      for exponent in values {
        let ours = ElementaryFunctions.power(base, exponent)
        let theirs = Foundation.pow(base, exponent)
        #expect(distance(ours, theirs) <= 1, "pow(\(base), \(exponent))")
        if !theirs.isNaN { #expect(ours.sign == theirs.sign, "pow(\(base), \(exponent))") }
      }
      for exponent in [0, 1, -1, 2, -2, 3, -3, 63, 1_000_000, .max, .min] {
        let ours = ElementaryFunctions.power(base, exponent)
        let theirs = Foundation.pow(base, Double(exponent))
        // The largest exponents lose their parity on the way to Double.
        if exponent.magnitude < 1 << 53 { #expect(distance(ours, theirs) <= 1, "pow(\(base), \(exponent))") }
        #expect(ours.isNaN == theirs.isNaN)
      }
    }
  }
}

@Suite("The bits of the elementary functions do not change")
struct ElementaryFunctionsBits {
  @Test func ofSingleValues() {
    #expect(ElementaryFunctions.exponential(1).bitPattern == 0x4005_BF0A_8B14_5769)
    #expect(ElementaryFunctions.exponential(-87.5).bitPattern == 0x380B_2CAE_EAAB_824A)
    #expect(ElementaryFunctions.logarithm(10).bitPattern == 0x4002_6BB1_BBB5_5516)
    #expect(ElementaryFunctions.logarithm(0.999).bitPattern == 0xBF50_6467_0D97_9B73)
    #expect(ElementaryFunctions.sine(1).bitPattern == 0x3FEA_ED54_8F09_0CEE)
    #expect(ElementaryFunctions.cosine(100).bitPattern == 0x3FEB_981D_BF66_5FDF)
    #expect(ElementaryFunctions.power(0.999, 12_000).bitPattern == 0x3ED9_9DCE_66C8_FD98)
    #expect(ElementaryFunctions.power(2, 0.5).bitPattern == 0x3FF6_A09E_667F_3BCD)
  }

  /// FNV-1a over many results: any change of any bit shows.
  @Test func ofManyValues() {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ value: Double) { hash = (hash ^ value.bitPattern) &* 0x100_0000_01B3 }
    for x in points(10_000, 9, -40...40) {
      add(ElementaryFunctions.exponential(x))
      add(ElementaryFunctions.logarithm(x.magnitude))
      add(ElementaryFunctions.sine(x))
      add(ElementaryFunctions.cosine(x))
      add(ElementaryFunctions.power(x.magnitude, x))
      add(ElementaryFunctions.power(x, Int(x)))
    }
    #expect(hash == 0x531E_6296_A3A3_4286)
  }
}
