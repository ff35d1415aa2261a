import Checkpoints
import Failures
import Testing

@testable import WeightExchange

@Suite struct ParameterNamesTests {
  private let own = [
    Tensor(name: "W1", shape: [1, 1, 1, 2], values: [1, 2]), Tensor(name: "b1", shape: [1], values: [3]),
    Tensor(name: "W2", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]), Tensor(name: "b2", shape: [3], values: [7, 8, 9]),
  ]

  @Test func pytorchsAffineMatricesAreTransposed() throws {
    let torch = try ParameterNames.pytorch.tensors(from: own, of: "w")
    #expect(torch.map(\.name) == ["conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias"])
    #expect(torch[2].shape == [3, 2])
    #expect(torch[2].values == [1, 4, 2, 5, 3, 6])
    #expect(torch[0].values == own[0].values)
  }

  @Test func theyAreKnownInAnyOrder() throws {
    let torch = try ParameterNames.pytorch.tensors(from: own, of: "w")
    #expect(sorted(try ParameterNames.own(from: torch.reversed(), of: "w")) == own)
    #expect(try ParameterNames.own(from: own, of: "w") == own)
  }

  /// The tenth layer comes after the ninth.
  @Test func layersAreOrderedByNumber() throws {
    let many = (1...12).map { Tensor(name: "conv\($0).weight", shape: [1], values: [Float($0)]) }
    let renamed = sorted(try ParameterNames.own(from: many.shuffled(), of: "w"))
    #expect(renamed.map(\.name) == (1...12).map { "W\($0)" })
    #expect(renamed.map { $0.values[0] } == (1...12).map { Float($0) })
  }

  @Test func namesOfTwoKindsAreRefused() {
    let mixed = [own[0], Tensor(name: "fc1.bias", shape: [1], values: [1])]
    let failure = #expect(throws: Failure.self) { try ParameterNames.own(from: mixed, of: "w") }
    #expect(failure?.cause.hasPrefix("w: the tensor \"W1\" is none of conv1.weight") == true)
  }

  @Test func whatPyTorchHasNoNameForIsRefused() {
    let strange = [Tensor(name: "gamma1", shape: [2], values: [1, 2])]
    let failure = #expect(throws: Failure.self) { try ParameterNames.pytorch.tensors(from: strange, of: "w") }
    #expect(failure?.code == .badData)
  }
}
