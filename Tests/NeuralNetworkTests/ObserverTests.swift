import NeuralNetwork
import Testing

@Suite struct ObserverTests {
  private final class Stages: WorkspaceObserver {
    var list: [WorkspaceStage] = []
    func enters(_ stage: WorkspaceStage) { list.append(stage) }
  }

  @Test func everyStageIsToldInItsOrderAndNoBitChanges() throws {
    let layers: [LayerDescription] = [.convolution(filters: 3, size: 3, padding: 1, stride: 1), .affine(outputs: 4)]
    // One more than a group.
    let samples = Network.groupSize + 1
    let test = try TestNetwork(
      inputShape: FeatureShape(channels: 1, height: 6, width: 6), layers: layers, samples: samples, seed: 5)
    let indices = (0..<samples).map { UInt32($0) }
    let workspace = test.network.makeWorkspace()
    let unobserved = test.gradient(of: indices, in: workspace)
    let stages = Stages()
    workspace.observer = stages
    let observed = test.gradient(of: indices, in: workspace)
    #expect(observed.gradient == unobserved.gradient && observed.statistics == unobserved.statistics)
    let group: [WorkspaceStage] = [
      .loading, .forward(layer: 0), .forward(layer: 1), .loss, .backward(layer: 1), .backward(layer: 0),
    ]
    #expect(stages.list == group + group + [.completion(layer: 0), .completion(layer: 1), .idle])

    stages.list = []
    _ = indices.withUnsafeBufferPointer { workspace.evaluate($0, read: test.read) }
    let pass: [WorkspaceStage] = [.loading, .forward(layer: 0), .forward(layer: 1), .loss]
    #expect(stages.list == pass + pass + [.idle])
  }
}
