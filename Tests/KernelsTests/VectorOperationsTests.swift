import CVectors
import Testing

/// The operations of whole vectors do in each lane what one number would.
@Suite struct VectorOperationsTests {
  private static let values: [Float] = [.nan, -.infinity, -1, -0.0, 0, 0.5, 0.5, 1, 2, .infinity]

  @Test(arguments: 0..<50)
  func eachLaneIsThatOfTheScalarRule(seed: Int) {
    var random = TestRandom(seed)
    func lanes() -> SIMD16<Float> {
      var vector = SIMD16<Float>()
      for lane in 0..<16 { vector[lane] = Self.values[random.next(0...Self.values.count - 1)] }
      return vector
    }
    let (p0, p1, p2, p3) = (lanes(), lanes(), lanes(), lanes())
    let largest = dtrain_larger(dtrain_larger(p3, p2), dtrain_larger(p1, p0))
    let places = dtrain_place(p0, p1, p2, largest, largest)
    let rectified = dtrain_rectified(p1, p0)
    let placed = dtrain_at_place(p1, places, 2)
    for lane in 0..<16 {
      let upper = larger(p1[lane], p0[lane])
      let expected = larger(larger(p3[lane], p2[lane]), upper)
      #expect(same(largest[lane], expected))
      let place = [p0, p1, p2].firstIndex { $0[lane] == expected } ?? 3
      #expect(places[lane] == Int32(expected <= 0 ? 4 : place))
      #expect(same(rectified[lane], p0[lane] <= 0 ? 0 : p1[lane]))
      #expect(same(placed[lane], places[lane] == 2 ? p1[lane] : 0))
    }
    let narrow = (p0.lowHalf, p1.lowHalf, p2.lowHalf, p3.lowHalf)
    let narrowLargest = dtrain_larger(dtrain_larger(narrow.3, narrow.2), dtrain_larger(narrow.1, narrow.0))
    for lane in 0..<8 {
      #expect(same(narrowLargest[lane], largest[lane]))
      #expect(dtrain_place(narrow.0, narrow.1, narrow.2, narrowLargest, narrowLargest)[lane] == places[lane])
      #expect(same(dtrain_rectified(narrow.1, narrow.0)[lane], rectified[lane]))
      #expect(same(dtrain_at_place(narrow.1, places.lowHalf, 2)[lane], placed[lane]))
    }
  }

  private func larger(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
  private func same(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }
}
