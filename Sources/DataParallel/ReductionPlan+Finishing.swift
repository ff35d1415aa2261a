import Kernels

/// The additions that lead from some roots to what is above them in the tree: left += right, by the roots' places.
extension [ReductionPlan.Addition] {
  /// Adds statistics; those of right children are left as they are.
  ///
  /// - Parameter trailers: [roots, Trailer.count].
  func add(_ trailers: UnsafeMutablePointer<Double>) {
    for addition in self {
      Trailer.add(trailers + addition.right * Trailer.count, into: trailers + addition.left * Trailer.count)
    }
  }

  /// Adds vectors, in blocks.
  ///
  /// - Parameters:
  ///   - operands: where each root lies, [count] vectors.
  func add(_ operands: [UnsafeMutablePointer<SIMD8<Float>>], count: Int) {
    for start in stride(from: 0, to: count, by: Self.blockLength) {
      let length = Swift.min(Self.blockLength, count - start)
      for addition in self {
        let (left, right) = (operands[addition.left] + start, operands[addition.right] + start)
        GradientAddition.add(left, right, into: left, count: length)
      }
    }
  }

  /// The sum of all roots over the number of samples, in blocks small enough for the sums in between to stay in the
  /// first-level cache. The roots are lost.
  ///
  /// - Parameters:
  ///   - operands: where each root lies, [count] vectors.
  ///   - result: [count].
  func mean(
    of operands: [UnsafeMutablePointer<SIMD8<Float>>], count: Int, samples: Int,
    into result: UnsafeMutablePointer<SIMD8<Float>>
  ) {
    let divisor = Float(samples)
    let last = self.count - 1
    for start in stride(from: 0, to: count, by: Self.blockLength) {
      let length = Swift.min(Self.blockLength, count - start)
      if last < 0 {
        GradientAddition.divide(operands[0] + start, by: divisor, into: result + start, count: length)
      }
      for (index, addition) in enumerated() {
        let (left, right) = (operands[addition.left] + start, operands[addition.right] + start)
        if index < last {
          GradientAddition.add(left, right, into: left, count: length)
        } else {
          GradientAddition.addAndDivide(left, right, by: divisor, into: result + start, count: length)
        }
      }
    }
  }

  /// In vectors of 32 bytes: 8 KiB.
  private static var blockLength: Int { 256 }
}
