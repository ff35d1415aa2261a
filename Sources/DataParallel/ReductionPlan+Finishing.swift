import Kernels

/// The top of the tree, over the roots of all ranks.
extension ReductionPlan {
  /// The sum of the roots' statistics, which are lost.
  ///
  /// - Parameter trailers: [roots, Trailer.count].
  func finishStatistics(_ trailers: UnsafeMutablePointer<Double>) -> StepStatistics {
    for addition in finishing {
      Trailer.add(trailers + addition.right * Trailer.count, into: trailers + addition.left * Trailer.count)
    }
    return Trailer.read(trailers)
  }

  /// The sum of the roots over the number of samples, in blocks small enough for the sums in between to stay in the
  /// first-level cache. The roots are lost.
  ///
  /// - Parameters:
  ///   - operands: where each root lies, [count] vectors.
  ///   - result: [count].
  func finish(
    _ operands: [UnsafeMutablePointer<SIMD8<Float>>], count: Int, samples: Int,
    into result: UnsafeMutablePointer<SIMD8<Float>>
  ) {
    let divisor = Float(samples)
    let last = finishing.count - 1
    for start in stride(from: 0, to: count, by: Self.blockLength) {
      let length = min(Self.blockLength, count - start)
      if last < 0 {
        GradientAddition.divide(operands[0] + start, by: divisor, into: result + start, count: length)
      }
      for (index, addition) in finishing.enumerated() {
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
  private static let blockLength = 256
}
