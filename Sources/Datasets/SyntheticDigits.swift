import Arithmetic
import Failures

/// Handwritten digits drawn by code: no file, no end, and the same bytes on every machine.
///
/// A sample is a function of (seed, subset, index) alone: its digit, uniform over the ten, the way it is written, the
/// size, slant and place, the elastic change, the width and darkness of the stroke, and the noise.
public struct SyntheticDigits: Dataset {
  public static let name = "synthetic-digits"
  public static let digitCount = 10

  public var name: String { Self.name }
  public var origin: String { "drawn by code" }
  public let count: Int
  public var imageShape: ImageShape { ImageShape(channels: 1, height: painter.side, width: painter.side) }
  public var classCount: Int { Self.digitCount }

  private let seed: UInt64
  private let subset: Subset
  private let painter: DigitPainter

  /// - Parameters:
  ///   - count: in [1, 2^32); a sample does not depend on it.
  ///   - side: of the images, in pixels, in [8, 1024].
  /// - Throws: `.configuration` where one is out of range.
  public init(subset: Subset, count: Int, side: Int = 28, seed: UInt64 = 0) throws(Failure) {
    guard count >= 1 && count <= Int(UInt32.max) else {
      throw Failure(
        .configuration, "\(count) synthetic digits are asked for", remedy: "ask for 1 to \(UInt32.max) of them")
    }
    guard (8...1_024).contains(side) else {
      throw Failure(
        .configuration, "synthetic digits of \(side) x \(side) pixels are asked for", remedy: "ask for 8 to 1024")
    }
    self.count = count
    self.seed = seed
    self.subset = subset
    painter = DigitPainter(strokes: DigitStrokes(), side: side)
  }

  public func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int {
    precondition(index >= 0 && index < count)
    var stream = RandomStream(
      seed: seed, purpose: .syntheticDigits, first: UInt32(index), second: subset == .training ? 0 : 1)
    let digit = Int(stream.next(below: UInt32(Self.digitCount)))
    let ways = painter.strokes.digits[digit]
    let way = ways.lowerBound + Int(stream.next(below: UInt32(ways.count)))
    painter.paint(painter.strokes.variants[way], stream: &stream, into: pixels)
    return digit
  }
}
