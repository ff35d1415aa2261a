import Augmentation
import Communication
import Datasets
import Failures
import Foundation
import NeuralNetwork
import Testing

@testable import Training

@Suite struct TestTimeAugmentationTests {
  private let job: SmallJob
  private let network: Network
  private let dataset: any Dataset

  init() throws {
    job = SmallJob()
    network = try job.network()
    network.parameters.initialize(seed: 3)
    network.prepareParameters()
    dataset = try job.dataset(.test)
  }

  private func evaluation(_ settings: TestTimeAugmentation?) throws -> (Evaluation.Result, Predictions) {
    let (result, predictions) = try Evaluation(
      network: network, dataset: dataset, microbatch: 7, testTimeAugmentation: settings,
      communicator: SingleProcess()
    ).runWithPredictions()
    return (result, try #require(predictions))
  }

  /// What the network answers to an image, by way of another program's softmax.
  private func probabilities(of pixels: [UInt8]) -> [Double] {
    let scores = Predictions([pixels], by: network).scores.map { Double($0) }
    let sum = scores.reduce(0) { $0 + exp($1) }
    return scores.map { exp($0) / sum }
  }

  @Test func imageAndMirrorImageCountAlike() throws {
    var mirrored = AugmentationSettings()
    mirrored.flip = 1
    let (result, predictions) = try evaluation(TestTimeAugmentation(views: 2, augmentation: mirrored, seed: 5))
    let shape = dataset.imageShape
    var (loss, errors) = (0.0, 0)
    for sample in 0..<dataset.count {
      var pixels = [UInt8](repeating: 0, count: shape.pixelCount)
      let label = pixels.withUnsafeMutableBufferPointer { dataset.read(sample, into: $0.baseAddress!) }
      var mirror = pixels
      for row in 0..<shape.channels * shape.height {
        for x in 0..<shape.width { mirror[row * shape.width + x] = pixels[(row + 1) * shape.width - 1 - x] }
      }
      let mean = zip(probabilities(of: pixels), probabilities(of: mirror)).map { ($0 + $1) / 2 }
      for (found, expected) in zip(predictions.probabilities(of: sample), mean) {
        #expect(abs(found - expected) < 1e-6)
      }
      loss -= log(mean[label])
      errors += mean.firstIndex(of: mean.max()!) == label ? 0 : 1
    }
    #expect(abs(result.loss - loss / Double(dataset.count)) < 1e-6)
    #expect(result.errors == errors)
  }

  @Test func copiesAreThoseOfTheSeed() throws {
    var shifted = AugmentationSettings()
    shifted.shift = 3
    func predictions(views: Int, seed: UInt64) throws -> [Float] {
      try evaluation(TestTimeAugmentation(views: views, augmentation: shifted, seed: seed)).1.scores
    }
    let first = try predictions(views: 3, seed: 1)
    #expect(try predictions(views: 3, seed: 1) == first)
    #expect(try predictions(views: 3, seed: 2) != first)
    #expect(try predictions(views: 4, seed: 1) != first)
  }

  @Test func nothingIsErasedFromWhatIsAskedAbout() {
    var settings = job.settings
    settings.augmentation.erasing = 0.5
    settings.augmentation.flip = 0.5
    #expect(settings.testTimeAugmentation == nil)
    settings.evaluation.views = 4
    #expect(settings.testTimeAugmentation?.views == 4)
    #expect(settings.testTimeAugmentation?.augmentation.flip == 0.5)
    #expect(settings.testTimeAugmentation?.augmentation.erasing == 0)
  }

  @Test func ofProbabilitiesThatVanishTheLossIsLargeAndFinite() {
    let mean = ProbabilityMean(capacity: 1, classes: 2)
    mean.setLabel(1, at: 0)
    for _ in 0..<2 { [Float(1e6), -1e6].withUnsafeBufferPointer { mean.add($0.baseAddress!, at: 0) } }
    let statistics = mean.statistics(samples: 1, looks: 2, receive: nil)
    #expect(statistics.correct == 0)
    #expect(abs(statistics.lossSum - 708.4) < 0.1)
  }

  @Test func whatIsNotFiniteStaysSo() {
    let mean = ProbabilityMean(capacity: 1, classes: 2)
    [Float.nan, 1].withUnsafeBufferPointer { mean.add($0.baseAddress!, at: 0) }
    #expect(!mean.statistics(samples: 1, looks: 1, receive: nil).lossSum.isFinite)
  }
}
