import Arithmetic
import DataParallel

/// What compression leaves of a gradient, written plainly.
enum PlainCompression {
  static func decompressed(_ form: Compression.Form, _ values: [Float]) -> [Float] {
    switch form {
    case .float16:
      return values.map { value in
        let half = HalfPrecision.float16(value)
        return HalfPrecision.float(float16: value.isFinite && half & 0x7c00 == 0x7c00 ? half - 1 : half)
      }
    case .bfloat16:
      return values.map { value in
        let half = HalfPrecision.bfloat16(value)
        return HalfPrecision.float(bfloat16: value.isFinite && half & 0x7f80 == 0x7f80 ? half - 1 : half)
      }
    case .int8:
      return stride(from: 0, to: values.count, by: 256).flatMap { start in
        let block = values[start..<min(start + 256, values.count)]
        guard block.allSatisfy(\.isFinite) else { return block.map { _ in Float.nan } }
        let scale = (block.map(\.magnitude).max() ?? 0) / 127
        return block.map { value in
          guard scale > 0 else { return 0 }
          // A whole number has no negative zero.
          return Float(Int(max(-127, min(127, (value / scale).rounded(.toNearestOrEven))))) * scale
        }
      }
    case .topK(let share):
      let kept = max(1, min(values.count, Int((share * Double(values.count)).rounded(.up))))
      func size(_ index: Int) -> UInt32 { values[index].magnitude.bitPattern }
      let order = values.indices.sorted { size($0) == size($1) ? $0 < $1 : size($0) > size($1) }
      var result = [Float](repeating: 0, count: values.count)
      for index in order.prefix(kept) { result[index] = values[index] }
      return result
    }
  }
}
