/// Pictures of one size in rows and columns, with gaps between them.
public struct ImageSheet: Sendable {
  /// The sheet so far.
  public private(set) var picture: PNGFile
  public let rows: Int
  public let columns: Int
  private let imageWidth: Int
  private let imageHeight: Int
  private let zoom: Int
  private let gap: Int

  /// An empty sheet.
  ///
  /// - Parameters:
  ///   - imageWidth: of each picture, in its own pixels; likewise `imageHeight`.
  ///   - zoom: the side of the square that a pixel becomes.
  ///   - gap: pixels of the sheet around and between the pictures.
  ///   - background: the gray of the gaps.
  public init(
    rows: Int, columns: Int, imageWidth: Int, imageHeight: Int, color: PNGFile.Color = .gray, zoom: Int = 2,
    gap: Int = 2, background: UInt8 = 96
  ) {
    precondition(rows >= 1 && columns >= 1 && zoom >= 1 && gap >= 0)
    self.rows = rows
    self.columns = columns
    self.imageWidth = imageWidth
    self.imageHeight = imageHeight
    self.zoom = zoom
    self.gap = gap
    picture = PNGFile(
      width: gap + columns * (imageWidth * zoom + gap), height: gap + rows * (imageHeight * zoom + gap), color: color,
      filledWith: background)
  }

  /// Draws a picture into a field of the sheet.
  ///
  /// - Parameters:
  ///   - pixels: channel by channel, row-major, as a data set has them: [channels][height][width]. One channel is gray;
  ///     a gray sheet shows the first alone.
  ///   - row: of the sheet, from 0 at the top; likewise `column` from the left.
  public mutating func draw(_ pixels: [UInt8], row: Int, column: Int) {
    let (area, channels) = (imageWidth * imageHeight, picture.color.rawValue)
    precondition((0..<rows).contains(row) && (0..<columns).contains(column) && pixels.count >= area)
    let top = gap + row * (imageHeight * zoom + gap)
    let left = gap + column * (imageWidth * zoom + gap)
    for y in 0..<imageHeight * zoom {
      for x in 0..<imageWidth * zoom {
        let source = y / zoom * imageWidth + x / zoom
        let target = ((top + y) * picture.width + left + x) * channels
        for channel in 0..<channels {
          let place = channel * area + source
          picture.pixels[target + channel] = pixels[pixels.count >= channels * area ? place : source]
        }
      }
    }
  }
}
