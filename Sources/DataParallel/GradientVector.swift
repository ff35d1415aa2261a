import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The gradient of a sum of losses, of one microbatch or of a node of the tree, with the statistics of its samples.
///
/// In memory: `count` floats, zeros up to a multiple of 16, then a trailer of eight doubles; aligned to 64 bytes.
///
/// Unchecked: it is memory, which its user hands from one thread to the next and never to two at once.
public final class GradientVector: @unchecked Sendable {
  /// The floats in a unit of 64 bytes, the granularity of lengths and slices.
  static let unit = 16

  /// How many parameters the gradient has.
  public let count: Int
  /// `count` rounded up to a multiple of 16. The floats between have to stay 0.
  public let paddedCount: Int
  /// The gradient, in the order of the parameters.
  public let floats: UnsafeMutablePointer<Float>
  let trailer: UnsafeMutablePointer<Double>

  /// - Throws: `.osError` where there is not enough memory.
  public init(count: Int) throws(Failure) {
    self.count = count
    paddedCount = (count + Self.unit - 1) / Self.unit * Self.unit
    let floatBytes = paddedCount * MemoryLayout<Float>.stride
    let memory = try allocateAligned(byteCount: floatBytes + Trailer.byteCount, for: "a gradient")
    floats = memory.bindMemory(to: Float.self, capacity: paddedCount)
    trailer = (memory + floatBytes).bindMemory(to: Double.self, capacity: Trailer.count)
  }

  deinit { free(floats) }

  /// The floats, eight at a time: `paddedCount` / 8.
  var vectors: UnsafeMutablePointer<SIMD8<Float>> {
    UnsafeMutableRawPointer(floats).assumingMemoryBound(to: SIMD8<Float>.self)
  }

  /// What whoever computes the gradient sets beside it.
  public var statistics: StepStatistics {
    get { Trailer.read(trailer) }
    set { Trailer.write(newValue, trailer) }
  }

  /// Contiguous parts of a run of floats, of whole units, which differ by one unit at most.
  ///
  /// - Parameter floats: begins and ends at a unit.
  static func slices(of floats: Range<Int>, count: Int) -> [Range<Int>] {
    (0..<count).map { slice in
      let share = GradientTree.share(slice, of: count, in: floats.lowerBound / unit..<floats.upperBound / unit)
      return share.lowerBound * unit..<share.upperBound * unit
    }
  }

  /// Takes the gradient and the statistics of another vector of the same count.
  public func update(from other: GradientVector) {
    floats.update(from: other.floats, count: paddedCount)
    trailer.update(from: other.trailer, count: Trailer.count)
  }
}
