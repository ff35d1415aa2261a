import Testing

@testable import Arithmetic

@Suite("Random streams")
struct RandomStreamTests {
  /// The known answers of Random123 1.14, `kat_vectors`, philox4x32 10.
  @Test func knownAnswers() {
    #expect(
      RandomStream.block(key: SIMD2(0, 0), counter: SIMD4(0, 0, 0, 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      RandomStream.block(key: SIMD2(repeating: .max), counter: SIMD4(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      RandomStream.block(
        key: SIMD2(0xa409_3822, 0x299f_31d0),
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test("a stream is the blocks of its key and counter, one after the other")
  func layout() {
    var stream = RandomStream(
      seed: 0x0123_4567_89AB_CDEF, purpose: .dropout, layer: 0x1234, first: 0xAAAA_0001, second: 0xBBBB_0002)
    for block in UInt32(0)..<3 {
      let expected = RandomStream.block(
        key: SIMD2(0x89AB_CDEF, 0x0123_4567), counter: SIMD4(block, 0xAAAA_0001, 0xBBBB_0002, 3 << 16 | 0x1234))
      for word in 0..<4 { #expect(stream.nextUInt32() == expected[word]) }
    }
  }

  @Test("many words at once are those that come one after another", arguments: 0..<12)
  func filling(taken: Int) {
    var (one, many) = (RandomStream(seed: 7, purpose: .test), RandomStream(seed: 7, purpose: .test))
    for _ in 0..<taken % 5 { #expect(one.nextUInt32() == many.nextUInt32()) }
    for count in [taken, 1, 13] {
      let words = [UInt32](unsafeUninitializedCapacity: count) { buffer, written in
        if let start = buffer.baseAddress { many.fill(start, count: count) }
        written = count
      }
      #expect(words == (0..<count).map { _ in one.nextUInt32() })
    }
    #expect(one.nextUInt32() == many.nextUInt32())
  }

  @Test("streams that differ in any one part differ in their numbers")
  func streamsDiffer() {
    var streams = [
      RandomStream(seed: 0, purpose: .test), RandomStream(seed: 1, purpose: .test),
      RandomStream(seed: 1 << 32, purpose: .test), RandomStream(seed: 0, purpose: .dropout),
      RandomStream(seed: 0, purpose: .test, layer: 1), RandomStream(seed: 0, purpose: .test, first: 1),
      RandomStream(seed: 0, purpose: .test, second: 1),
    ]
    let words = Set(streams.indices.map { index in streams[index].nextUInt32() })
    #expect(words.count == streams.count)
  }

  @Test("numbers below a bound are all reached, equally often", arguments: [1, 2, 3, 7, 10, 100] as [UInt32])
  func bounded(_ bound: UInt32) {
    var stream = RandomStream(seed: 3, purpose: .test, first: bound)
    var counts = [Int](repeating: 0, count: Int(bound))
    let draws = 1_000 * Int(bound)
    for _ in 0..<draws { counts[Int(stream.next(below: bound))] += 1 }
    // Six standard deviations of a count whose mean is 1000.
    #expect(counts.allSatisfy { abs($0 - 1_000) < 190 })
  }

  @Test("a bound just above 2^31 shows no bias, where a plain remainder or product would")
  func unbiased() {
    let bound: UInt32 = 3 << 30
    var stream = RandomStream(seed: 4, purpose: .test)
    var thirds = [0, 0, 0]
    for _ in 0..<30_000 { thirds[Int(stream.next(below: bound) % 3)] += 1 }
    #expect(thirds.allSatisfy { abs($0 - 10_000) < 500 })
    #expect(stream.next(below: 0) == 0)
  }

  @Test func unitInterval() {
    var stream = RandomStream(seed: 5, purpose: .test)
    var sum = 0.0
    var sumOfSquares = 0.0
    let draws = 100_000
    for _ in 0..<draws {
      let value = stream.nextUnit()
      #expect(value >= 0 && value < 1)
      sum += value
      sumOfSquares += value * value
    }
    let mean = sum / Double(draws)
    #expect((mean - 0.5).magnitude < 0.005)
    #expect((sumOfSquares / Double(draws) - mean * mean - 1.0 / 12).magnitude < 0.002)
  }

  @Test func normalDistribution() {
    var stream = RandomStream(seed: 6, purpose: .test)
    let draws = 100_000
    var moments = [0.0, 0.0, 0.0, 0.0]
    var tail = 0
    for _ in 0..<draws {
      let value = stream.nextNormal()
      var product = 1.0
      for order in 0..<4 {
        product *= value
        moments[order] += product / Double(draws)
      }
      if value.magnitude > 1.959964 { tail += 1 }
    }
    #expect(moments[0].magnitude < 0.02)
    #expect((moments[1] - 1).magnitude < 0.03)
    #expect(moments[2].magnitude < 0.07)
    #expect((moments[3] - 3).magnitude < 0.2)
    #expect((tail - 5_000).magnitude < 420)
  }

  @Test("the first normal numbers of seed 0 never change")
  func pinnedNormals() {
    var stream = RandomStream(seed: 0, purpose: .initialization)
    let bits = (0..<4).map { _ in stream.nextNormal().bitPattern }
    #expect(
      bits == [
        0xBFF2_007A_0B65_D71C, 0xBFFD_1C87_4BF5_9A5E, 0xBFF7_1B2E_F3FC_278E, 0x3FF1_C48E_F046_FB55,
      ])
  }
}

@Suite("Permutations")
struct PermutationTests {
  @Test("hold every number once", arguments: [0, 1, 2, 3, 10, 1_000, 60_000])
  func complete(_ count: Int) {
    var order = [UInt32](repeating: .max, count: count)
    Permutation.fill(&order, seed: 9, epoch: 4)
    #expect(order.sorted() == (0..<count).map { UInt32($0) })
  }

  @Test("are decided by seed and epoch, not by what was there before")
  func decided() {
    var first = [UInt32](repeating: 0, count: 500)
    var second = (0..<500).map { UInt32(499 - $0) }
    Permutation.fill(&first, seed: 1, epoch: 2)
    Permutation.fill(&second, seed: 1, epoch: 2)
    #expect(first == second)
    Permutation.fill(&second, seed: 1, epoch: 3)
    #expect(first != second)
    Permutation.fill(&second, seed: 2, epoch: 2)
    #expect(first != second)
  }

  @Test("of four are all equally likely")
  func uniform() {
    var counts: [[UInt32]: Int] = [:]
    var order = [UInt32](repeating: 0, count: 4)
    for epoch in 0..<24_000 {
      Permutation.fill(&order, seed: 11, epoch: epoch)
      counts[order, default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(counts.values.allSatisfy { abs($0 - 1_000) < 190 })
  }

  @Test("of seed 0, epoch 0 never changes")
  func pinned() {
    var order = [UInt32](repeating: 0, count: 10)
    Permutation.fill(&order, seed: 0, epoch: 0)
    #expect(order == [1, 8, 6, 9, 5, 0, 3, 7, 2, 4])
  }
}
