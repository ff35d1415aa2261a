// What the machine can do at most, to hold beside what the kernels reach.
//
// This file belongs to two modules: Kernels, and WideKernels for processors with AVX-512.

#if WIDE_VECTORS
  import Kernels

  private typealias Vector = SIMD16<Float>
#else
  private typealias Vector = SIMD8<Float>
#endif

/// Multiplies and adds vectors of floats in twelve chains that do not wait for each other: enough to hide the
/// latency of any processor that starts two such vectors a cycle, and few enough for sixteen registers.
///
/// Does `multiplyAddOperations` floating-point operations an iteration.
///
/// - Parameters:
///   - factor: below 1, so that the values stay normal numbers.
///   - addend: above 0.
/// - Returns: a value that depends on all of the work.
public func multiplyAddChains(iterations: Int, factor: Float, addend: Float) -> Float {
  let m = Vector(repeating: factor)
  let a = Vector(repeating: addend)
  // Different from each other, or the compiler would make one chain of them.
  var c0 = a
  var c1 = a + 1
  var c2 = a + 2
  var c3 = a + 3
  var c4 = a + 4
  var c5 = a + 5
  var c6 = a + 6
  var c7 = a + 7
  var c8 = a + 8
  var c9 = a + 9
  var c10 = a + 10
  var c11 = a + 11
  for _ in 0..<iterations {
    c0 = a.addingProduct(m, c0)
    c1 = a.addingProduct(m, c1)
    c2 = a.addingProduct(m, c2)
    c3 = a.addingProduct(m, c3)
    c4 = a.addingProduct(m, c4)
    c5 = a.addingProduct(m, c5)
    c6 = a.addingProduct(m, c6)
    c7 = a.addingProduct(m, c7)
    c8 = a.addingProduct(m, c8)
    c9 = a.addingProduct(m, c9)
    c10 = a.addingProduct(m, c10)
    c11 = a.addingProduct(m, c11)
  }
  return (((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7)) + ((c8 + c9) + (c10 + c11))).sum()
}

/// Floating-point operations of an iteration of `multiplyAddChains`: a multiplication and an addition count as two.
public let multiplyAddOperations = 12 * Vector.scalarCount * 2

/// Reads memory once, from its start to its end, as fast as one thread can.
///
/// - Parameters:
///   - memory: aligned to 64 bytes.
///   - count: floats; a multiple of 128.
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
  while i < count / Vector.scalarCount {
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
