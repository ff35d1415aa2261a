import Checkpoints
import Communication
import Configuration
import Datasets
import Failures
import Images
import Training

/// What the weights of a run answer to its test images, found out anew.
public struct Answers: Sendable {
  /// An image that was taken for another class.
  struct Wrong: Sendable {
    let sample: Int
    let truth: Int
    let answer: Int
    /// The probability of the answer.
    let confidence: Double
    /// The image, as a PNG file.
    let picture: [UInt8]
  }

  /// More wrong answers than these are counted and not shown.
  static let shownLimit = 60

  /// [truth][answer]; empty where nothing could be found out.
  let confusion: [[Int]]
  /// The surest, at most `shownLimit`.
  let wrong: [Wrong]
  /// Where the images are from.
  let origin: String
  /// Why there is nothing, in a sentence.
  let absence: String?

  var samples: Int { confusion.reduce(0) { $0 + $1.reduce(0, +) } }
  var errors: Int { samples - confusion.indices.reduce(0) { $0 + confusion[$1][$1] } }

  private init(confusion: [[Int]], wrong: [Wrong], origin: String, absence: String?) {
    self.confusion = confusion
    self.wrong = wrong
    self.origin = origin
    self.absence = absence
  }

  /// Nothing, and why.
  init(absence: String) {
    self.init(confusion: [], wrong: [], origin: "", absence: absence)
  }

  /// Evaluates a run's weights. What keeps it from that, missing data above all, is told in the report.
  ///
  /// - Parameter data: the folder of the data set; nil for where the run's settings say.
  public init(of run: RecordedRun, data: String?) {
    guard let weights = run.weights else {
      self.init(absence: "The run has no weights yet.")
      return
    }
    do throws(Failure) {
      try self.init(weights, run.settings, data: data)
    } catch {
      self.init(absence: "The weights could not be tested here: \(error.cause).")
    }
  }

  private init(_ weights: RecordedRun.Weights, _ settings: Settings, data: String?) throws(Failure) {
    var settings = settings
    if let data { settings.dataset.path = data }
    let test = try settings.openDataset(.test)
    let network = try settings.makeNetwork(for: test.imageShape, weights: weights.file, from: weights.path)
    let communicator = SingleProcess()
    let evaluation = try Evaluation(
      network: network, dataset: test, microbatch: settings.evaluation.microbatch,
      threads: settings.threads(on: communicator), testTimeAugmentation: settings.testTimeAugmentation,
      communicator: communicator)
    guard let predictions = try evaluation.runWithPredictions().predictions else {
      self.init(absence: "The weights could not be tested here.")
      return
    }
    let answers = predictions.wrong.map { (sample: $0, answer: predictions.answer(of: $0)) }
      .sorted { ($0.answer.confidence, $1.sample) > ($1.answer.confidence, $0.sample) }.prefix(Self.shownLimit)
    var wrong: [Wrong] = []
    for (sample, answer) in answers {
      wrong.append(
        Wrong(
          sample: sample, truth: predictions.labels[sample], answer: answer.label, confidence: answer.confidence,
          picture: try Self.picture(of: sample, in: test)))
    }
    self.init(
      confusion: ClassificationReport(predictions, topCount: 1).confusion, wrong: wrong,
      origin: "\(test.name), \(test.origin)", absence: nil)
  }

  private static func picture(of sample: Int, in dataset: any Datasets.Dataset) throws(Failure) -> [UInt8] {
    let shape = dataset.imageShape
    var planes = [UInt8](repeating: 0, count: shape.pixelCount)
    planes.withUnsafeMutableBufferPointer { buffer in
      if let start = buffer.baseAddress { _ = dataset.read(sample, into: start) }
    }
    var picture = PNGFile(width: shape.width, height: shape.height, color: shape.channels == 3 ? .rgb : .gray)
    let (channels, area) = (picture.color.rawValue, shape.height * shape.width)
    for place in 0..<area {
      for channel in 0..<channels { picture.pixels[place * channels + channel] = planes[channel * area + place] }
    }
    return try picture.encoded()
  }
}

/// RFC 4648, chapter 4.
enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for place in 0..<4 {
        text.append(place <= group.count ? digits[Int(bits >> 18 & 63)] : UInt8(ascii: "="))
        bits <<= 6
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
