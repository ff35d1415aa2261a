import Arithmetic
import Failures
import Kernels
import Testing

@testable import DataParallel

/// What there is to compress with.
let allForms: [Compression.Form] = [.float16, .bfloat16, .int8, .topK(share: 0.01), .topK(share: 0.3)]

@Suite struct GradientCodecTests {
  /// A codec with what it works on.
  private final class Subject {
    let codec: GradientCodec
    let sum: GradientVector
    let residual: GradientVector
    let received: GradientVector
    let bytes: UnsafeMutableRawPointer

    init(_ form: Compression.Form, count: Int) throws {
      codec = try GradientCodec(Compression(form, groups: 1), count: count, workers: 1)
      sum = try GradientVector(count: count)
      residual = try GradientVector(count: count)
      received = try GradientVector(count: count)
      bytes = .allocate(byteCount: codec.byteCount, alignment: 64)
    }

    deinit { bytes.deallocate() }

    /// - Returns: what is decompressed, here and where the bytes come to.
    func pass(_ values: [Float]) -> (here: [Float], there: [Float]?) {
      sum.floats.update(from: values, count: values.count)
      codec.encode(sum, residual: residual, into: bytes, worker: 0)
      let isValid = codec.decode(bytes, into: received.floats)
      return (floats(sum), isValid ? floats(received) : nil)
    }

    func floats(_ vector: GradientVector) -> [Float] { (0..<vector.count).map { vector.floats[$0] } }
  }

  /// Floats of all sizes, some of them equal.
  private func values(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in
      switch Int.random(in: 0..<10, using: &generator) {
      case 0: 0
      case 1: -0.5
      case 2: 0.5
      case 3: Float.random(in: -1...1, using: &generator) * 0x1p-130
      case 4: Float.random(in: -1...1, using: &generator) * 0x1p-20
      default: Float.random(in: -1...1, using: &generator) * Float(1 << Int.random(in: 0...10, using: &generator))
      }
    }
  }

  private func bits(_ values: [Float]?) -> [UInt32]? { values?.map(\.bitPattern) }

  @Test(arguments: 0..<40 as Range<UInt64>, allForms)
  func whatIsDecompressedIsThatOfThePlainReference(seed: UInt64, form: Compression.Form) throws {
    var generator = SeededGenerator(seed)
    let count = Int.random(in: 1...3000, using: &generator)
    let subject = try Subject(form, count: count)
    var residual = [Float](repeating: 0, count: count)
    for _ in 0..<4 {
      let values = values(count, &generator)
      let corrected = zip(values, residual).map { $0 + $1 }
      let expected = PlainCompression.decompressed(form, corrected)
      let (here, there) = subject.pass(values)
      #expect(bits(here) == bits(expected))
      #expect(bits(there) == bits(expected))
      residual = zip(corrected, expected).map { $0 - $1 }
      #expect(bits(subject.floats(subject.residual)) == bits(residual))
    }
  }

  /// Nothing is lost: all that came is what went out and what is left, but for the roundings of the sums.
  @Test(arguments: 0..<20 as Range<UInt64>, allForms)
  func whatIsLeftGoesOutLater(seed: UInt64, form: Compression.Form) throws {
    var generator = SeededGenerator(seed)
    let count = Int.random(in: 1...1000, using: &generator)
    let subject = try Subject(form, count: count)
    var (sent, given, sizes) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count), 0.0)
    let steps = 50
    for _ in 0..<steps {
      let values = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
      let (here, _) = subject.pass(values)
      for index in 0..<count {
        given[index] += Double(values[index])
        sent[index] += Double(here[index])
        sizes = max(sizes, Double(here[index].magnitude), Double(subject.residual.floats[index].magnitude))
      }
    }
    // Two roundings a step, of numbers no larger than the largest and what came to it.
    let bound = Double(2 * steps) * (sizes + 2) * 0x1p-24
    for index in 0..<count {
      #expect(abs(sent[index] + Double(subject.residual.floats[index]) - given[index]) <= bound)
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func ofWholeNumbersTheLargestEntriesLoseNothingAtAll(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let count = Int.random(in: 1...1000, using: &generator)
    let subject = try Subject(.topK(share: 0.05), count: count)
    var (sent, given) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
    for _ in 0..<50 {
      let values = (0..<count).map { _ in Float(Int.random(in: -100...100, using: &generator)) }
      let (here, _) = subject.pass(values)
      for index in 0..<count {
        given[index] += values[index]
        sent[index] += here[index]
      }
    }
    #expect((0..<count).map { sent[$0] + subject.residual.floats[$0] } == given)
  }

  @Test func inFloat16EveryNumberIsThatOfTheArithmetic() throws {
    let subject = try Subject(.float16, count: 65_536)
    // Each half, exactly, and its neighbours in float32, which lie on either side of what rounds to it.
    for shift in [-1, 0, 1, 0xfff, 0x1000, 0x1001] as [Int32] {
      let values = (0...UInt16.max).map { half -> Float in
        let value = HalfPrecision.float(float16: half)
        return value.isFinite ? Float(bitPattern: value.bitPattern &+ UInt32(bitPattern: shift)) : value
      }
      subject.residual.floats.update(repeating: 0, count: 65_536)
      // The residual is added first, and −0 + 0 is 0.
      let expected = PlainCompression.decompressed(.float16, values.map { $0 + 0 })
      let (here, _) = subject.pass(values)
      #expect(
        zip(here, expected).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }, "shift \(shift)")
    }
  }

  @Test func beyondFloat16WhatIsLeftFollows() throws {
    let subject = try Subject(.float16, count: 2)
    #expect(subject.pass([100_000, -1e6]).here == [65_504, -65_504])
    #expect(subject.floats(subject.residual) == [34_496, -934_496])
    #expect(subject.pass([0, 0]).here == [34_496, -65_504])
  }

  @Test(arguments: allForms, [Float.infinity, -.infinity, .nan])
  func whatIsNotFiniteStaysSo(form: Compression.Form, value: Float) throws {
    let subject = try Subject(form, count: 400)
    var values = [Float](repeating: 1, count: 400)
    values[399] = value
    #expect(subject.pass(values).there?[399].isFinite == false)
  }

  @Test func indicesBeyondTheGradientAreRefused() throws {
    let subject = try Subject(.topK(share: 0.5), count: 10)
    _ = subject.pass([Float](repeating: 1, count: 10))
    for index in [10, UInt32.max] {
      subject.bytes.storeBytes(of: index, as: UInt32.self)
      #expect(!subject.codec.decode(subject.bytes, into: subject.received.floats))
    }
  }

  @Test func ofEqualEntriesTheFirstTravel() throws {
    let subject = try Subject(.topK(share: 0.3), count: 10)
    let (here, _) = subject.pass([1, -1, 1, 1, 2, 1, -1, 1, 1, 1])
    #expect(here == [1, -1, 0, 0, 2, 0, 0, 0, 0, 0])
  }

  @Test func whatTravelsIsAsLongAsIsSaid() {
    func bytes(_ form: Compression.Form, _ count: Int) -> Int { Compression(form, groups: 4).byteCount(of: count) }
    #expect(bytes(.float16, 1000) == 2016)
    #expect(bytes(.bfloat16, 1008) == 2016)
    #expect(bytes(.int8, 1000) == 1008 + 4 * 4)
    #expect(bytes(.topK(share: 0.01), 1000) == 80)
    #expect(bytes(.topK(share: 0.01), 7) == 8)
    #expect(bytes(.topK(share: 1), 7) == 56)
  }
}
