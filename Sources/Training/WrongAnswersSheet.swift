import Datasets
import Images

/// A picture of what a network answered wrongly: each image with its truth, the answer and how sure the network was.
public enum WrongAnswersSheet {
  /// More than these do not fit a picture that a person looks at.
  public static let limit = 400
  private static let (columns, zoom, gap, textZoom) = (10, 3, 6, 2)
  private static let textHeight = PixelFont.height * textZoom + 4

  /// The wrong answers, the surest first; one gray pixel where there are none.
  ///
  /// Under each image stands "truth > answer confidence": "4>9 87%".
  public static func picture(of predictions: Predictions, in dataset: any Dataset) -> PNGFile {
    let shape = dataset.imageShape
    let answers = predictions.wrong.map { ($0, predictions.answer(of: $0)) }
      .sorted { ($0.1.confidence, $1.0) > ($1.1.confidence, $0.0) }.prefix(limit)
    guard !answers.isEmpty else { return PNGFile(width: 1, height: 1, filledWith: 96) }
    // Room for the text under a narrow image.
    let cellWidth = max(shape.width * zoom, 8 * (PixelFont.width + 1) * textZoom) + gap
    let cellHeight = shape.height * zoom + textHeight + gap
    let isColor = shape.channels == 3
    var picture = PNGFile(
      width: gap + columns * cellWidth, height: gap + (answers.count + columns - 1) / columns * cellHeight,
      color: isColor ? .rgb : .gray, filledWith: 40)
    var pixels = [UInt8](repeating: 0, count: shape.pixelCount)
    for (position, (sample, answer)) in answers.enumerated() {
      let (left, top) = (gap + position % columns * cellWidth, gap + position / columns * cellHeight)
      let truth = pixels.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.map { dataset.read(sample, into: $0) } ?? 0
      }
      for y in 0..<shape.height * zoom {
        for x in 0..<shape.width * zoom {
          for channel in 0..<picture.color.rawValue {
            let place = ((top + y) * picture.width + left + x) * picture.color.rawValue + channel
            picture.pixels[place] = pixels[(channel * shape.height + y / zoom) * shape.width + x / zoom]
          }
        }
      }
      let percent = Int((answer.confidence * 100).rounded())
      picture.write(
        "\(truth)>\(answer.label) \(percent)%", x: left, y: top + shape.height * zoom + 4, zoom: textZoom, value: 230)
    }
    return picture
  }
}
