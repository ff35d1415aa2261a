/// Digits and a few signs of 3x5 pixels, to write numbers on sheets of images.
public enum PixelFont {
  public static let width = 3
  public static let height = 5

  /// Rows from the top, of three bits each, the leftmost highest.
  private static let glyphs: [Character: [UInt8]] = [
    "0": [7, 5, 5, 5, 7], "1": [2, 6, 2, 2, 7], "2": [7, 1, 7, 4, 7], "3": [7, 1, 7, 1, 7], "4": [5, 5, 7, 1, 1],
    "5": [7, 4, 7, 1, 7], "6": [7, 4, 7, 5, 7], "7": [7, 1, 2, 2, 2], "8": [7, 5, 7, 5, 7], "9": [7, 5, 7, 1, 7],
    ">": [4, 2, 1, 2, 4], "%": [5, 1, 2, 4, 5], "-": [0, 0, 7, 0, 0], ".": [0, 0, 0, 0, 2], "?": [7, 1, 2, 0, 2],
    " ": [0, 0, 0, 0, 0],
  ]

  /// The pixels that a text sets, each a square of `zoom` pixels, as places from its upper left corner. Characters that
  /// have no form here are shown as a question mark.
  public static func pixels(of text: String, zoom: Int) -> [(x: Int, y: Int)] {
    var places: [(x: Int, y: Int)] = []
    for (position, character) in text.enumerated() {
      let rows = glyphs[character] ?? [7, 1, 2, 0, 2]
      for y in 0..<height * zoom {
        for x in 0..<width * zoom where rows[y / zoom] >> (width - 1 - x / zoom) & 1 == 1 {
          places.append((position * (width + 1) * zoom + x, y))
        }
      }
    }
    return places
  }
}

extension PNGFile {
  /// Writes a text into the picture; what lies outside it is cut off.
  public mutating func write(_ text: String, x left: Int, y top: Int, zoom: Int, value: UInt8) {
    for place in PixelFont.pixels(of: text, zoom: zoom) {
      let (x, y) = (left + place.x, top + place.y)
      guard (0..<width).contains(x), (0..<height).contains(y) else { continue }
      for channel in 0..<color.rawValue { pixels[(y * width + x) * color.rawValue + channel] = value }
    }
  }
}
