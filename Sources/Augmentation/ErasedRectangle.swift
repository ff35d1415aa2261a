import Arithmetic

/// The part of a copy that gives way to random pixels, so that no single part of an image decides.
///
/// Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation" (AAAI 2020), algorithm 1, with its areas from 2 to
/// 33 % of the image and its ratios of height to width from 0.3 to 1 / 0.3. What would reach beyond the image is cut to
/// its size instead of being drawn again.
struct ErasedRectangle: Equatable {
  let rows: Range<Int>
  let columns: Range<Int>

  private static let area = 0.02...0.33
  private static let ratio = 0.3

  /// Nil for an image that is left whole.
  init?(probability: Double, height: Int, width: Int, _ stream: inout RandomStream) {
    guard stream.nextUnit() < probability else { return nil }
    let share = Self.area.lowerBound + (Self.area.upperBound - Self.area.lowerBound) * stream.nextUnit()
    // Tall and broad are equally likely: the logarithm of the ratio is uniform.
    let ratio = ElementaryFunctions.exponential((2 * stream.nextUnit() - 1) * ElementaryFunctions.logarithm(Self.ratio))
    let pixels = share * Double(height * width)
    rows = Self.range((pixels * ratio).squareRoot(), within: height, &stream)
    columns = Self.range((pixels / ratio).squareRoot(), within: width, &stream)
  }

  private static func range(_ length: Double, within size: Int, _ stream: inout RandomStream) -> Range<Int> {
    let count = max(1, min(size, Int(length + 0.5)))
    let start = Int(stream.next(below: UInt32(size - count + 1)))
    return start..<start + count
  }
}
