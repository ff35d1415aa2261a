import Kernels
import Testing

@Suite struct BitHashTests {
  /// The definition, one number after the other.
  private func reference(_ values: [Float], seed: UInt64) -> UInt64 {
    let whole = values.count / 16 * 16
    var lanes = (0..<16).map { UInt32($0) ^ UInt32(truncatingIfNeeded: $0 < 8 ? seed : seed >> 32) }
    for index in 0..<whole {
      let word = (lanes[index % 16] ^ values[index].bitPattern) &* 0x9E37_79B1
      lanes[index % 16] = word ^ (word >> 15)
    }
    return (lanes + values[whole...].map(\.bitPattern)).reduce(UInt64(values.count)) { hash, word in
      let product = (hash ^ UInt64(word)) &* 0x9E37_79B9_7F4A_7C15
      return product ^ (product >> 29)
    }
  }

  @Test(arguments: 0..<60) func itIsWhatItsDefinitionSays(_ count: Int) {
    var random = TestRandom(count)
    let values = Memory(count, random: &random)
    for seed in [0, random.next()] {
      #expect(BitHash.of(values.pointer, count: count, seed: seed) == reference(values.array, seed: seed))
    }
  }

  @Test(arguments: [1, 16, 50]) func everyBitCounts(_ count: Int) {
    var random = TestRandom(count)
    let values = Memory(count, random: &random)
    var hashes: Set = [BitHash.of(values.pointer, count: count)]
    for index in 0..<count {
      for bit in 0..<32 {
        let before = values.pointer[index]
        values.pointer[index] = Float(bitPattern: before.bitPattern ^ 1 << UInt32(bit))
        hashes.insert(BitHash.of(values.pointer, count: count))
        values.pointer[index] = before
      }
    }
    #expect(hashes.count == 1 + 32 * count)
  }

  @Test func theOrderCounts() {
    var random = TestRandom(1)
    let values = Memory(64, random: &random)
    let before = BitHash.of(values.pointer, count: 64)
    // Of one lane.
    (values.pointer[3], values.pointer[19]) = (values.pointer[19], values.pointer[3])
    #expect(BitHash.of(values.pointer, count: 64) != before)
    #expect(BitHash.of(values.pointer, count: 64, seed: 1) != BitHash.of(values.pointer, count: 64, seed: 2))
    #expect(BitHash.of(values.pointer, count: 64, seed: 1 << 40) != BitHash.of(values.pointer, count: 64))
  }

  @Test(arguments: [0, 8, 48]) func theLargestMagnitudeIsFoundWhereverItIs(_ count: Int) {
    var random = TestRandom(count)
    let values = Memory(count, random: &random)
    for index in 0..<count {
      #expect(FiniteCheck.largestMagnitude(values.pointer, count: count) == values.array.map(abs).max())
      let before = values.pointer[index]
      for large: Float in [-1e30, 1e38, .infinity, -.infinity] {
        values.pointer[index] = large
        #expect(FiniteCheck.largestMagnitude(values.pointer, count: count) == abs(large))
      }
      for bad in [Float.nan, -.nan] {
        values.pointer[index] = bad
        #expect(!FiniteCheck.largestMagnitude(values.pointer, count: count).isFinite)
      }
      values.pointer[index] = before
    }
    #expect(FiniteCheck.largestMagnitude(values.pointer, count: 0) == 0)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 33]) func whatIsNotFiniteIsFoundWhereverItIs(_ count: Int) {
    var random = TestRandom(count)
    let values = Memory(count, random: &random)
    if count > 0 { values.pointer[count - 1] = .greatestFiniteMagnitude }
    #expect(FiniteCheck.allAreFinite(values.pointer, count: count))
    for index in 0..<count {
      let before = values.pointer[index]
      for bad in [Float.infinity, -.infinity, .nan, .signalingNaN] {
        values.pointer[index] = bad
        #expect(!FiniteCheck.allAreFinite(values.pointer, count: count))
      }
      values.pointer[index] = before
    }
  }
}
