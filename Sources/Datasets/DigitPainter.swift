import Arithmetic

/// Draws one digit into a square image.
struct DigitPainter {
  let strokes: DigitStrokes
  let side: Int

  /// Pieces between two points of a stroke.
  private static let piecesAPoint = 6

  /// Paints white on black; what the pixels held does not matter.
  func paint(_ variant: Range<Int>, stream: inout RandomStream, into pixels: UnsafeMutablePointer<UInt8>) {
    pixels.update(repeating: 0, count: side * side)
    let hand = DigitHand(&stream, side: side)
    for stroke in variant { draw(strokes.strokes[stroke], by: hand, &stream, into: pixels) }
    develop(hand, &stream, pixels)
  }

  /// Draws a stroke as a smooth curve through its points (Catmull and Rom's spline, broken at corners).
  private func draw(
    _ stroke: DigitStrokes.Stroke, by hand: DigitHand, _ stream: inout RandomStream,
    into pixels: UnsafeMutablePointer<UInt8>
  ) {
    withUnsafeTemporaryAllocation(of: SIMD2<Double>.self, capacity: DigitStrokes.maximumPointsAStroke) { points in
      let count = stroke.points.count
      for index in 0..<count {
        let error = SIMD2(stream.nextNormal(), stream.nextNormal()) * hand.unsteadiness
        points[index] = strokes.points[stroke.points.lowerBound + index].position + error
      }
      let sections = stroke.isClosed ? count : count - 1
      let total = Double(sections * Self.piecesAPoint)
      var previous = hand.place(points[0])
      for section in 0..<sections {
        let start = points[section]
        let end = points[(section + 1) % count]
        let leaving = tangent(stroke, section, points, chord: end - start)
        let arriving = tangent(stroke, (section + 1) % count, points, chord: end - start)
        for piece in 1...Self.piecesAPoint {
          let t = Double(piece) / Double(Self.piecesAPoint)
          // Hermite's basis.
          let s = 1 - t
          let onStart = start * (s * s * (1 + 2 * t)) + leaving * (t * s * s)
          let onEnd = end * (t * t * (1 + 2 * s)) - arriving * (s * t * t)
          let next = hand.place(onStart + onEnd)
          let part = (Double(section * Self.piecesAPoint + piece) - 0.5) / total
          fill(from: previous, to: next, radius: hand.radius(at: part), softness: hand.softness, pixels)
          previous = next
        }
      }
    }
  }

  /// The curve's direction at a point, seen from the section whose chord is given.
  private func tangent(
    _ stroke: DigitStrokes.Stroke, _ index: Int, _ points: UnsafeMutableBufferPointer<SIMD2<Double>>,
    chord: SIMD2<Double>
  ) -> SIMD2<Double> {
    let count = stroke.points.count
    let isEnd = !stroke.isClosed && (index == 0 || index == count - 1)
    if isEnd || strokes.points[stroke.points.lowerBound + index].isCorner { return chord }
    return (points[(index + 1) % count] - points[(index + count - 1) % count]) * 0.5
  }

  /// Lays a round-ended piece of a stroke over what is there; a pixel's share is found from its distance.
  private func fill(
    from start: SIMD2<Double>, to end: SIMD2<Double>, radius: Double, softness: Double,
    _ pixels: UnsafeMutablePointer<UInt8>
  ) {
    let reach = radius + 0.5 * softness
    let low = pointwiseMin(start, end) - (reach + 0.5)
    let high = pointwiseMax(start, end) + (reach - 0.5)
    let bound = Double(side - 1)
    guard high.x >= 0 && high.y >= 0 && low.x <= bound && low.y <= bound else { return }
    let (left, right) = (Int(max(0, low.x.rounded(.up))), Int(min(bound, high.x)))
    let (top, bottom) = (Int(max(0, low.y.rounded(.up))), Int(min(bound, high.y)))
    guard left <= right && top <= bottom else { return }
    let along = end - start
    let squared = along.x * along.x + along.y * along.y
    let inverse = squared > 0 ? 1 / squared : 0
    let scale = 255 / softness
    for row in top...bottom {
      let y = Double(row) + 0.5 - start.y
      let line = pixels + row * side
      for column in left...right {
        let x = Double(column) + 0.5 - start.x
        let part = min(1, max(0, (x * along.x + y * along.y) * inverse))
        let dx = x - part * along.x
        let dy = y - part * along.y
        let distance = dx * dx + dy * dy
        guard distance < reach * reach else { continue }
        let share = UInt8(min(255, (reach - distance.squareRoot()) * scale))
        if share > line[column] { line[column] = share }
      }
    }
  }

  /// Gives the ink its darkness and lays noise over all.
  private func develop(_ hand: DigitHand, _ stream: inout RandomStream, _ pixels: UnsafeMutablePointer<UInt8>) {
    let count = side * side
    for index in 0..<count { pixels[index] = UInt8(truncatingIfNeeded: (Int(pixels[index]) * hand.ink) >> 8) }
    guard hand.noise > 0 else { return }
    var word: UInt32 = 0
    for index in 0..<count {
      word = index & 1 == 0 ? stream.nextUInt32() : word >> 16
      // The sum of two bytes has mean 255 and a standard deviation of 105.
      let sum = Int(word & 255) + Int(word >> 8 & 255)
      let level = Int(pixels[index]) + ((sum - 255) * hand.noise) / 1_680
      pixels[index] = UInt8(truncatingIfNeeded: min(255, max(0, level)))
    }
  }
}
