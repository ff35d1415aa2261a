// How fast memory can be read, to hold beside what the kernels reach.

private typealias Vector = SIMD8<Float>

/// Reads memory once, from its start to its end, as fast as one thread can.
///
/// - Parameters:
///   - memory: aligned to 32 bytes.
///   - count: floats; a multiple of 64.
/// - Returns: a value that depends on all that was read.
public func readThrough(_ memory: UnsafePointer<Float>, count: Int) -> Float {
  let vectors = UnsafeRawPointer(memory).assumingMemoryBound(to: Vector.self)
  var s0 = Vector()
  var s1 = Vector()
  var s2 = Vector()
  var s3 = Vector()
  var s4 = Vector()
  var s5 = Vector()
  var s6 = Vector()
  var s7 = Vector()
  var i = 0
  while i < count / 8 {
    s0 += vectors[i]
    s1 += vectors[i + 1]
    s2 += vectors[i + 2]
    s3 += vectors[i + 3]
    s4 += vectors[i + 4]
    s5 += vectors[i + 5]
    s6 += vectors[i + 6]
    s7 += vectors[i + 7]
    i += 8
  }
  return (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))).sum()
}
