import Checkpoints
import Foundation
import Models
import NeuralNetwork
import Testing

@testable import WeightExchange

/// The published weights of the book, and what the book's own code answers with them, where they are found.
private let book: String? = {
  let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  return [ProcessInfo.processInfo.environment["DTRAIN_DATA"], package + "/data", package + "/../shared/data"]
    .compactMap { $0.map { $0 + "/book" } }
    .first { FileManager.default.fileExists(atPath: $0 + "/deep_convnet_params.pkl") }
}()

@Suite(.enabled(if: book != nil)) struct BookWeightsTests {
  @Test func theyGiveTheBooksScores() throws {
    let folder = try #require(book)
    let weights = try WeightsFile.read(folder + "/deep_convnet_params.pkl")
    let answers = try NPYFile.tensor(
      named: "logits", from: Array(Data(contentsOf: URL(fileURLWithPath: folder + "/deep_convnet_test_logits.npy"))))
    #expect(answers.shape == [10_000, 10])
    let images = try inflate(folder + "/../mnist/t10k-images-idx3-ubyte.gz", from: 16)
    let labels = try inflate(folder + "/../mnist/t10k-labels-idx1-ubyte.gz", from: 8)
    let network = try DeepConvNet().network(inputShape: FeatureShape(channels: 1, height: 28, width: 28))
    let shapes = network.parameters.tensors.map { ($0.name, $0.shape) }
    for (tensor, value) in zip(network.parameters.tensors, try weights.tensors(matching: shapes, from: "the book's")) {
      _ = network.parameters.values(of: tensor).update(fromContentsOf: value.values)
    }
    network.prepareParameters()
    var largest: Float = 0
    let samples = (0..<10_000).map { UInt32($0) }
    let statistics = samples.withUnsafeBufferPointer { samples in
      network.makeWorkspace().evaluate(
        samples,
        read: { index, pixels in
          pixels.update(from: Array(images[index * 784..<(index + 1) * 784]), count: 784)
          return Int(labels[index])
        },
        scores: { place, scores in
          for k in 0..<10 { largest = max(largest, abs(scores[k] - answers.values[place * 10 + k])) }
        })
    }
    #expect(10_000 - statistics.correct == 65)
    #expect(largest < 1e-4)
  }

  private func inflate(_ path: String, from start: Int) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let content = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(content.dropFirst(start))
  }
}
