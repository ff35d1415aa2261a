/// The passes over gradient vectors that a reduction consists of.
///
/// Lengths count vectors of eight floats. No operand may be null or overlap another, except that a sum may go into one
/// of its own addends.
public enum GradientAddition {
  /// sum = left + right
  public static func add(
    _ left: UnsafePointer<SIMD8<Float>>, _ right: UnsafePointer<SIMD8<Float>>,
    into sum: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    for index in 0..<count { sum[index] = left[index] + right[index] }
  }

  /// mean = (left + right) / divisor, each operation rounded by itself.
  public static func addAndDivide(
    _ left: UnsafePointer<SIMD8<Float>>, _ right: UnsafePointer<SIMD8<Float>>, by divisor: Float,
    into mean: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    let divisors = SIMD8<Float>(repeating: divisor)
    for index in 0..<count { mean[index] = (left[index] + right[index]) / divisors }
  }

  /// mean = sum / divisor
  public static func divide(
    _ sum: UnsafePointer<SIMD8<Float>>, by divisor: Float, into mean: UnsafeMutablePointer<SIMD8<Float>>, count: Int
  ) {
    let divisors = SIMD8<Float>(repeating: divisor)
    for index in 0..<count { mean[index] = sum[index] / divisors }
  }
}
