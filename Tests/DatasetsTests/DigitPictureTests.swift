import Failures
import Testing

@testable import Datasets

/// A picture of one gray, with rectangles of another.
private func picture(
  _ width: Int, _ height: Int, paper: UInt8, ink: UInt8, _ rectangles: [(x: Range<Int>, y: Range<Int>)]
) -> [UInt8] {
  (0..<width * height).map { place in
    rectangles.contains { $0.x.contains(place % width) && $0.y.contains(place / width) } ? ink : paper
  }
}

private func normalized(_ width: Int, _ height: Int, _ grays: [UInt8], opacities: [UInt8]? = nil) throws -> [UInt8] {
  try DigitPicture.normalized(
    width: width, height: height, grays: grays, opacities: opacities ?? [UInt8](repeating: 255, count: grays.count),
    from: "p.png")
}

@Suite struct DigitPictureTests {
  private let bar = [(x: 40..<60, y: 10..<90)]

  /// 20 by 80 pixels become 5 by 20, in the middle of 28 by 28.
  @Test func theLongerSideIsTwentyPixelsInTheMiddle() throws {
    let image = try normalized(200, 100, picture(200, 100, paper: 255, ink: 0, bar))
    for y in 0..<28 {
      for x in 0..<28 {
        let isInk = (4..<24).contains(y) && ((11..<16).contains(x) || (12..<17).contains(x))
        if !isInk { #expect(image[y * 28 + x] == 0) }
      }
    }
    #expect(image.count { $0 == 255 } == 100)
  }

  @Test func darkOnLightIsAsLightOnDark() throws {
    let dark = try normalized(200, 100, picture(200, 100, paper: 250, ink: 20, bar))
    let light = try normalized(200, 100, picture(200, 100, paper: 5, ink: 235, bar))
    #expect(dark == light)
  }

  /// Neither size nor place of the digit matters.
  @Test func sizeAndPlaceDoNotMatter() throws {
    let small = try normalized(
      40, 40, picture(40, 40, paper: 255, ink: 0, [(x: 0..<10, y: 0..<2), (x: 8..<10, y: 0..<20)]))
    let large = try normalized(
      900, 700, picture(900, 700, paper: 255, ink: 0, [(x: 500..<600, y: 300..<320), (x: 580..<600, y: 300..<500)]))
    #expect(small == large)
  }

  /// The centre of mass is within half a pixel of the middle, where there is room for it.
  @Test func theCentreOfMassIsInTheMiddle() throws {
    let image = try normalized(
      100, 100, picture(100, 100, paper: 255, ink: 0, [(x: 20..<80, y: 20..<40), (x: 20..<40, y: 20..<80)]))
    var (mass, across, down) = (0.0, 0.0, 0.0)
    for (place, value) in image.enumerated() {
      mass += Double(value)
      across += Double(value) * (Double(place % 28) + 0.5)
      down += Double(value) * (Double(place / 28) + 0.5)
    }
    #expect(abs(across / mass - 14) <= 0.5)
    #expect(abs(down / mass - 14) <= 0.5)
  }

  /// Black ink on nothing, and white ink on nothing.
  @Test(arguments: [0, 255] as [UInt8])
  func transparentIsPaper(ink: UInt8) throws {
    let shape = picture(200, 100, paper: 0, ink: 255, bar)
    let image = try normalized(200, 100, [UInt8](repeating: ink, count: shape.count), opacities: shape)
    #expect(image == (try normalized(200, 100, picture(200, 100, paper: 255, ink: 0, bar))))
  }

  @Test(arguments: [(1, 1), (50, 30)])
  func aPictureWithoutInkIsRefused(width: Int, height: Int) {
    for gray: UInt8 in [0, 130, 255] {
      let grays = (0..<width * height).map { gray ^ UInt8($0 % 8) }
      let failure = #expect(throws: Failure.self) { try normalized(width, height, grays) }
      #expect(failure?.code == .badData && failure?.cause.hasPrefix("p.png: ") == true)
    }
  }

  /// A single dot, a line along the edge: nothing traps.
  @Test func oddShapesAreTaken() throws {
    for rectangle in [(x: 0..<1, y: 0..<1), (x: 0..<3, y: 5..<6), (x: 99..<100, y: 1..<99), (x: 1..<99, y: 98..<100)] {
      let image = try normalized(100, 100, picture(100, 100, paper: 255, ink: 0, [rectangle]))
      #expect(image.contains(255))
    }
  }
}
