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
/// latency of any processor that starts two such vectors a cycle, and few enough for its registers.
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
