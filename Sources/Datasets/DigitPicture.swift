import Failures

/// A person's own picture of a digit, brought into the form of MNIST's images.
///
/// As MNIST was made of NIST's pictures (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
/// recognition", 1998, section III.A): the ink is cut out and scaled, its proportions kept, so that its longer side is
/// 20 pixels; then it is laid into 28x28 pixels with its centre of mass in their middle. White ink on black.
public enum DigitPicture {
  public static let side = 28
  static let inkSide = 20
  /// Grays from the paper on that may be its grain or its shade, as a share of the darkest ink.
  private static let paperShare = 0.25
  /// A picture with less contrast, in grays, holds no ink.
  private static let leastContrast = 24.0

  /// - Parameters:
  ///   - grays: [height][width], 0 black, 255 white; the ink may be darker or lighter than the paper.
  ///   - opacities: likewise, 255 opaque. What is transparent is paper.
  ///   - path: the picture's file, for messages.
  /// - Returns: [28][28], ink 255.
  /// - Throws: `.badData` where there is no ink.
  public static func normalized(
    width: Int, height: Int, grays: [UInt8], opacities: [UInt8], from path: String
  ) throws(Failure) -> [UInt8] {
    let ink = inkOnPaper(width: width, height: height, opaque(grays, opacities))
    guard let box = box(of: ink, width: width), let strongest = ink.max(), strongest > 0 else {
      throw Failure(
        .badData, "\(path): there is nothing on the picture that stands out from its background",
        remedy: "give a picture of one digit, dark on light or light on dark")
    }
    return centred(scaled(ink, width: width, box))
  }

  /// The grays on a background that differs from the opaque ones.
  private static func opaque(_ grays: [UInt8], _ opacities: [UInt8]) -> [Double] {
    var (sum, weight) = (0.0, 0.0)
    for (gray, opacity) in zip(grays, opacities) {
      sum += Double(gray) * Double(opacity)
      weight += Double(opacity)
    }
    let background: Double = weight > 0 && sum / weight >= 128 ? 0 : 255
    return zip(grays, opacities).map { gray, opacity in
      let share = Double(opacity) / 255
      return Double(gray) * share + background * (1 - share)
    }
  }

  /// How far each pixel stands out from the paper, which is what most of the picture's edge is; 0 where that may be
  /// grain. All 0 where there is no ink.
  private static func inkOnPaper(width: Int, height: Int, _ grays: [Double]) -> [Double] {
    var edge: [Double] = []
    for x in 0..<width { edge += [grays[x], grays[(height - 1) * width + x]] }
    for y in 0..<height { edge += [grays[y * width], grays[y * width + width - 1]] }
    edge.sort()
    let paper = edge[edge.count / 2]
    let (darkest, lightest) = (grays.min() ?? paper, grays.max() ?? paper)
    let isDark = paper - darkest >= lightest - paper
    let contrast = isDark ? paper - darkest : lightest - paper
    guard contrast >= leastContrast else { return [Double](repeating: 0, count: grays.count) }
    return grays.map { gray in
      let share = (isDark ? paper - gray : gray - paper) / contrast
      return max(0, (share - paperShare) / (1 - paperShare))
    }
  }

  private struct Box {
    var rows: ClosedRange<Int>
    var columns: ClosedRange<Int>
  }

  /// The least rectangle that holds all ink; nil where there is none.
  private static func box(of ink: [Double], width: Int) -> Box? {
    var box: Box?
    for (place, value) in ink.enumerated() where value > 0 {
      let (y, x) = (place / width, place % width)
      guard let before = box else {
        box = Box(rows: y...y, columns: x...x)
        continue
      }
      box = Box(
        rows: min(before.rows.lowerBound, y)...max(before.rows.upperBound, y),
        columns: min(before.columns.lowerBound, x)...max(before.columns.upperBound, x))
    }
    return box
  }

  private struct Scaled {
    let width: Int
    let height: Int
    var values: [Double]
  }

  /// The box's ink with 20 pixels on its longer side, each the mean of the area that it covers; the strongest is 1.
  private static func scaled(_ ink: [Double], width: Int, _ box: Box) -> Scaled {
    let longest = max(box.rows.count, box.columns.count)
    let height = max(1, (box.rows.count * inkSide + longest / 2) / longest)
    let columns = max(1, (box.columns.count * inkSide + longest / 2) / longest)
    var narrowed = [Double](repeating: 0, count: box.rows.count * columns)
    let acrossShares = shares(from: box.columns.count, to: columns)
    for (target, parts) in acrossShares.enumerated() {
      for row in 0..<box.rows.count {
        let start = (box.rows.lowerBound + row) * width + box.columns.lowerBound
        narrowed[row * columns + target] = parts.reduce(0) { $0 + ink[start + $1.source] * $1.share }
      }
    }
    var values: [Double] = []
    for parts in shares(from: box.rows.count, to: height) {
      for column in 0..<columns {
        values.append(parts.reduce(0) { $0 + narrowed[$1.source * columns + column] * $1.share })
      }
    }
    let strongest = max(values.max() ?? 1, .leastNormalMagnitude)
    return Scaled(width: columns, height: height, values: values.map { $0 / strongest })
  }

  /// For each of `target` pixels in a row the pixels of the source that it covers, and their shares of it.
  private static func shares(from source: Int, to target: Int) -> [[(source: Int, share: Double)]] {
    let length = Double(source) / Double(target)
    return (0..<target).map { index in
      let (start, end) = (Double(index) * length, Double(index + 1) * length)
      return (Int(start)..<min(source, Int(end.rounded(.up)))).map { pixel in
        (pixel, (min(end, Double(pixel + 1)) - max(start, Double(pixel))) / length)
      }
    }
  }

  /// Laid so that the centre of mass is in the middle, as far as all of it stays inside.
  private static func centred(_ digit: Scaled) -> [UInt8] {
    var (mass, across, down) = (0.0, 0.0, 0.0)
    for (place, value) in digit.values.enumerated() {
      mass += value
      across += value * (Double(place % digit.width) + 0.5)
      down += value * (Double(place / digit.width) + 0.5)
    }
    func start(_ moment: Double, _ size: Int) -> Int {
      min(max(0, Int((Double(side) / 2 - moment / mass).rounded())), side - size)
    }
    let (left, top) = (start(across, digit.width), start(down, digit.height))
    var image = [UInt8](repeating: 0, count: side * side)
    for (place, value) in digit.values.enumerated() {
      image[(top + place / digit.width) * side + left + place % digit.width] =
        UInt8((min(1, max(0, value)) * 255).rounded())
    }
    return image
  }
}
