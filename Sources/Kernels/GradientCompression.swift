// Passes that turn a gradient into fewer bits and back. Lengths count vectors of eight floats unless said otherwise.

private typealias Floats = SIMD8<Float>
private typealias Words = SIMD8<UInt32>

@inline(__always)
private func words(_ floats: Floats) -> Words { unsafeBitCast(floats, to: Words.self) }

@inline(__always)
private func floats(_ words: Words) -> Floats { unsafeBitCast(words, to: Floats.self) }

/// A gradient in float16, in bfloat16, in whole numbers of 8 bits, or as its largest entries.
///
/// All round to the nearest, ties to even. What is too large for a format becomes its largest finite number; infinity
/// and what is not a number stay so, that they are found. No operand may overlap another unless said otherwise.
public enum GradientCompression {
  /// Vectors of eight floats that have one scale in 8 bits: 256 floats.
  public static let blockLength = 32
  /// Counters that the search for the largest entries needs.
  public static let histogramLength = 2048

  // MARK: - Error feedback

  /// residual += sum
  public static func correct(
    _ residual: UnsafeMutablePointer<SIMD8<Float>>, with sum: UnsafePointer<SIMD8<Float>>, count: Int
  ) {
    for index in 0..<count { residual[index] = sum[index] + residual[index] }
  }

  /// residual −= decompressed
  public static func keepRest(
    of residual: UnsafeMutablePointer<SIMD8<Float>>, after decompressed: UnsafePointer<SIMD8<Float>>, count: Int
  ) {
    for index in 0..<count { residual[index] = residual[index] - decompressed[index] }
  }

  // MARK: - 16 bits

  /// IEEE 754's binary16; beyond ±65504 that number.
  public static func toFloat16(
    _ values: UnsafePointer<SIMD8<Float>>, into halves: UnsafeMutablePointer<SIMD8<UInt16>>, count: Int
  ) {
    for index in 0..<count {
      let bits = words(values[index])
      let magnitude = bits & 0x7fff_ffff
      // From 2^-14 on the exponent's bias changes from 127 to 15; below, what counts is multiples of 2^-24, to which the
      // sum with 1/2 rounds.
      let normal = (magnitude &+ 0xfff &+ ((magnitude &>> 13) & 1) &- (112 << 23)) &>> 13
      let small = words(floats(magnitude) + Floats(repeating: 0.5)) &- 0x3f00_0000
      var half = small.replacing(with: normal, where: magnitude .>= 0x3880_0000)
      half.replace(with: 0x7bff, where: half .> 0x7bff)
      half.replace(with: 0x7c00, where: magnitude .== 0x7f80_0000)
      half.replace(with: 0x7e00, where: magnitude .> 0x7f80_0000)
      halves[index] = SIMD8<UInt16>(truncatingIfNeeded: half | ((bits &>> 16) & 0x8000))
    }
  }

  public static func fromFloat16(
    _ halves: UnsafePointer<SIMD8<UInt16>>, into values: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    for index in 0..<count {
      let bits = Words(truncatingIfNeeded: halves[index])
      let magnitude = bits & 0x7fff
      let normal = (magnitude &<< 13) &+ (112 << 23)
      let small = words(floats(magnitude | 0x3f00_0000) - Floats(repeating: 0.5))
      var value = normal.replacing(with: small, where: magnitude .< 0x400)
      value.replace(with: normal &+ (112 << 23), where: magnitude .>= 0x7c00)
      values[index] = floats(value | ((bits & 0x8000) &<< 16))
    }
  }

  /// The upper half of a float32; beyond its largest finite number that number.
  public static func toBfloat16(
    _ values: UnsafePointer<SIMD8<Float>>, into halves: UnsafeMutablePointer<SIMD8<UInt16>>, count: Int
  ) {
    for index in 0..<count {
      let bits = words(values[index])
      let magnitude = bits & 0x7fff_ffff
      var half = (magnitude &+ 0x7fff &+ ((magnitude &>> 16) & 1)) &>> 16
      half.replace(with: 0x7f7f, where: half .> 0x7f7f)
      half.replace(with: 0x7f80, where: magnitude .== 0x7f80_0000)
      half.replace(with: 0x7fc0, where: magnitude .> 0x7f80_0000)
      halves[index] = SIMD8<UInt16>(truncatingIfNeeded: half | ((bits &>> 16) & 0x8000))
    }
  }

  public static func fromBfloat16(
    _ halves: UnsafePointer<SIMD8<UInt16>>, into values: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    for index in 0..<count { values[index] = floats(Words(truncatingIfNeeded: halves[index]) &<< 16) }
  }

  // MARK: - 8 bits

  /// In each block whole numbers from −127 to 127 times a scale, the largest magnitude of the block / 127.
  ///
  /// - Parameters:
  ///   - scales: [⌈count / blockLength⌉]; not a number for a block that holds what is not finite.
  ///   - integers: [count].
  public static func quantize(
    _ values: UnsafePointer<SIMD8<Float>>, scales: UnsafeMutablePointer<Float>,
    integers: UnsafeMutablePointer<SIMD8<Int8>>, count: Int
  ) {
    // The sum with 1.5 · 2^23 rounds to whole numbers, and its last bits are theirs.
    let whole = Floats(repeating: 0x1.8p23)
    for start in stride(from: 0, to: count, by: blockLength) {
      let end = min(start + blockLength, count)
      var largest = Words(repeating: 0)
      for index in start..<end {
        let magnitude = words(values[index]) & 0x7fff_ffff
        largest.replace(with: magnitude, where: magnitude .> largest)
      }
      let maximum = largest.max()
      let scale = maximum >= 0x7f80_0000 ? Float.nan : Float(bitPattern: maximum) / 127
      scales[start / blockLength] = scale
      // A block of numbers so small that there is no scale becomes zeros.
      let divisor = Floats(repeating: scale > 0 ? scale : 1)
      for index in start..<end {
        var quotient = values[index] / divisor
        quotient.replace(with: 127, where: quotient .> 127)
        quotient.replace(with: -127, where: quotient .< -127)
        integers[index] = SIMD8<Int8>(truncatingIfNeeded: words(quotient + whole))
      }
    }
  }

  public static func dequantize(
    _ integers: UnsafePointer<SIMD8<Int8>>, scales: UnsafePointer<Float>,
    into values: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    let whole = Floats(repeating: 0x1.8p23)
    for start in stride(from: 0, to: count, by: blockLength) {
      let scale = Floats(repeating: scales[start / blockLength])
      for index in start..<min(start + blockLength, count) {
        let bits = Words(truncatingIfNeeded: SIMD8<Int32>(truncatingIfNeeded: integers[index])) &+ 0x4b40_0000
        values[index] = (floats(bits) - whole) * scale
      }
    }
  }

  // MARK: - The largest entries

  /// The `kept` entries of largest magnitude, of equal ones those that come first, in the order of their indices.
  ///
  /// What is not a number counts as larger than all, then infinity. Finds the least magnitude that is kept digit by
  /// digit, with counts of how many entries have each: what comes out depends on no order of sorting.
  ///
  /// - Parameters:
  ///   - values: [count], floats.
  ///   - kept: from 1 to `count`.
  ///   - histogram: [histogramLength], anything.
  ///   - indices: [kept].
  ///   - entries: [kept].
  public static func selectLargest(
    _ kept: Int, of values: UnsafePointer<Float>, count: Int, histogram: UnsafeMutablePointer<UInt32>,
    indices: UnsafeMutablePointer<UInt32>, entries: UnsafeMutablePointer<Float>
  ) {
    var rest = UInt32(kept)
    var threshold: UInt32 = 0
    var shift: UInt32 = 31
    while shift > 0 {
      // Of 31 bits first 11, then twice 10.
      let width: UInt32 = shift == 31 ? 11 : 10
      shift -= width
      let mask: UInt32 = (1 << width) - 1
      histogram.update(repeating: 0, count: histogramLength)
      for index in 0..<count {
        let key = values[index].bitPattern & 0x7fff_ffff
        if (key &>> shift) &>> width == threshold { histogram[Int((key &>> shift) & mask)] &+= 1 }
      }
      var digit = mask
      while digit > 0 && histogram[Int(digit)] < rest {
        rest -= histogram[Int(digit)]
        digit -= 1
      }
      threshold = threshold << width | digit
    }
    // Now `rest` entries of exactly this magnitude are still to be kept.
    var place = 0
    for index in 0..<count {
      let key = values[index].bitPattern & 0x7fff_ffff
      guard key >= threshold else { continue }
      if key == threshold {
        if rest == 0 { continue }
        rest -= 1
      }
      indices[place] = UInt32(truncatingIfNeeded: index)
      entries[place] = values[index]
      place += 1
    }
  }

  /// Zeros but for the entries.
  ///
  /// - Parameters:
  ///   - values: [paddedCount], floats.
  ///   - count: the entries that may be set.
  /// - Returns: whether all indices are below `count`; the others are left out.
  public static func spread(
    _ kept: Int, indices: UnsafePointer<UInt32>, entries: UnsafePointer<Float>,
    into values: UnsafeMutablePointer<Float>, count: Int, paddedCount: Int
  ) -> Bool {
    values.update(repeating: 0, count: paddedCount)
    var areValid = true
    for place in 0..<kept {
      let index = Int(indices[place])
      if index < count { values[index] = entries[place] } else { areValid = false }
    }
    return areValid
  }
}
