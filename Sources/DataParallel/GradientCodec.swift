import Failures
import Kernels

/// Turns gradients into what travels of them, and back. Asks for no memory once it is made.
final class GradientCodec {
  /// What travels of one gradient.
  let byteCount: Int
  private let form: Compression.Form
  private let count: Int
  private let paddedCount: Int
  private let keptCount: Int
  private let histograms: AlignedMemory<UInt32>

  /// - Parameters:
  ///   - count: the floats of a gradient.
  ///   - workers: the threads that encode at the same time.
  init(_ compression: Compression, count: Int, workers: Int) throws(Failure) {
    form = compression.form
    self.count = count
    paddedCount = (count + GradientVector.unit - 1) / GradientVector.unit * GradientVector.unit
    byteCount = compression.byteCount(of: count)
    keptCount = compression.keptCount(of: count)
    if case .topK = form {
      histograms = try AlignedMemory(count: workers * GradientCompression.histogramLength)
    } else {
      histograms = try AlignedMemory(count: 0)
    }
  }

  /// How many scales a gradient of this length has in 8 bits.
  static func scaleCount(of paddedCount: Int) -> Int {
    let block = 8 * GradientCompression.blockLength
    return (paddedCount + block - 1) / block
  }

  /// Compresses the sum and the residual; the sum becomes what is decompressed, the residual what is left.
  ///
  /// - Parameters:
  ///   - bytes: [byteCount], on a boundary of 64.
  ///   - worker: who calls it.
  func encode(_ sum: GradientVector, residual: GradientVector, into bytes: UnsafeMutableRawPointer, worker: Int) {
    let vectors = paddedCount / 8
    GradientCompression.correct(residual.vectors, with: sum.vectors, count: vectors)
    switch form {
    case .float16: GradientCompression.toFloat16(residual.vectors, into: halves(bytes), count: vectors)
    case .bfloat16: GradientCompression.toBfloat16(residual.vectors, into: halves(bytes), count: vectors)
    case .int8:
      GradientCompression.quantize(
        residual.vectors, scales: scales(bytes), integers: integers(bytes), count: vectors)
    case .topK:
      GradientCompression.selectLargest(
        keptCount, of: residual.floats, count: count,
        histogram: histograms.start + worker * GradientCompression.histogramLength, indices: indices(bytes),
        entries: entries(bytes))
    }
    _ = decode(bytes, into: sum.floats)
    GradientCompression.keepRest(of: residual.vectors, after: sum.vectors, count: vectors)
  }

  /// - Parameters:
  ///   - bytes: [byteCount], on a boundary of 64.
  ///   - floats: [paddedCount], on a boundary of 64.
  /// - Returns: false where the bytes are no gradient's.
  func decode(_ bytes: UnsafeMutableRawPointer, into floats: UnsafeMutablePointer<Float>) -> Bool {
    let vectors = UnsafeMutableRawPointer(floats).assumingMemoryBound(to: SIMD8<Float>.self)
    let vectorCount = paddedCount / 8
    switch form {
    case .float16: GradientCompression.fromFloat16(halves(bytes), into: vectors, count: vectorCount)
    case .bfloat16: GradientCompression.fromBfloat16(halves(bytes), into: vectors, count: vectorCount)
    case .int8:
      GradientCompression.dequantize(integers(bytes), scales: scales(bytes), into: vectors, count: vectorCount)
    case .topK:
      return GradientCompression.spread(
        keptCount, indices: indices(bytes), entries: entries(bytes), into: floats, count: count,
        paddedCount: paddedCount)
    }
    return true
  }

  // MARK: - Where what lies

  private func halves(_ bytes: UnsafeMutableRawPointer) -> UnsafeMutablePointer<SIMD8<UInt16>> {
    bytes.assumingMemoryBound(to: SIMD8<UInt16>.self)
  }

  private func integers(_ bytes: UnsafeMutableRawPointer) -> UnsafeMutablePointer<SIMD8<Int8>> {
    bytes.assumingMemoryBound(to: SIMD8<Int8>.self)
  }

  private func scales(_ bytes: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    (bytes + paddedCount).assumingMemoryBound(to: Float.self)
  }

  private func indices(_ bytes: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt32> {
    bytes.assumingMemoryBound(to: UInt32.self)
  }

  private func entries(_ bytes: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    (bytes + 4 * keptCount).assumingMemoryBound(to: Float.self)
  }
}
