import DistributedTraining

final class Progress: TrainingObserver {
  func epochDone(_ epoch: Int, step: Int, _ test: Evaluation.Result?) {
    if let test { print("epoch \(epoch + 1)  test loss \(test.loss)  accuracy \(test.accuracy)") }
  }
}

func train(replicas: Int) throws(Failure) -> [String] {
  try InProcessReplicas.run(count: replicas) { communicator throws(Failure) in
    let network = try Network(
      inputShape: FeatureShape(channels: 1, height: 28, width: 28),
      layers: [
        .convolution(filters: 8, size: 3, padding: 1, stride: 2), .custom(ParametricReLU.init),
        .maxPooling(size: 2, stride: 2), .affine(outputs: 10),
      ])
    network.parameters.initialize(seed: 1)
    let trainer = try Trainer(
      network: network, optimizer: Adam(count: network.parameters.paddedCount),
      training: try SyntheticDigits(subset: .training, count: 1_000),
      test: try SyntheticDigits(subset: .test, count: 1_000), schedule: Trainer.Schedule(), communicator: communicator)
    _ = try trainer.run(observer: communicator.rank == 0 ? Progress() : nil)
    return "weights \(network.parameters.digest)"
  }
}

let weights = try train(replicas: 2) + train(replicas: 1)
print(weights[0])
precondition(Set(weights).count == 1, "one replica has to end on the bits of two: \(weights)")
