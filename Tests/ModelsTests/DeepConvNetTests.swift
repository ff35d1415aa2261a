import Models
import NeuralNetwork
import Testing

@Suite struct DeepConvNetTests {
  @Test func hasTheBooksShapes() throws {
    let network = try DeepConvNet().network(inputShape: FeatureShape(channels: 1, height: 28, width: 28))
    #expect(network.parameters.count == 123_552)
    #expect(
      network.parameters.tensors.map(\.shape) == [
        [16, 1, 3, 3], [16], [16, 16, 3, 3], [16], [32, 16, 3, 3], [32], [32, 32, 3, 3], [32], [64, 32, 3, 3], [64],
        [64, 64, 3, 3], [64], [1024, 50], [50], [50, 10], [10],
      ])
    #expect(
      network.parameters.tensors.map(\.name) == (1...8).flatMap { ["W\($0)", "b\($0)"] })
    #expect(
      network.parameters.tensors.map(\.fanIn) == [9, 0, 144, 0, 144, 0, 288, 0, 288, 0, 576, 0, 1024, 0, 50, 0])
    let operations = network.segment.layers.reduce(0) { $0 + $1.forwardOperations }
    #expect(abs(Double(operations) / 17.5e6 - 1) < 0.01)
  }
}
