import Checkpoints
import Communication
import Configuration
import DataParallel
import Digests
import Failures
import NeuralNetwork
import Optimizers

/// The state of a run: where it is taken from, and how every rank comes to the same.
extension Trainer {
  /// Takes the state of a checkpoint. To be called on rank 0, before `run`.
  ///
  /// - Parameter path: where it is from, for messages.
  /// - Throws: `.badData` where it is not of this network; `.configuration` where it lies behind the end of the run.
  public func restore(_ checkpoint: Checkpoint, from path: String) throws(Failure) {
    guard checkpoint.position.step <= totalSteps else {
      throw Failure(
        .configuration,
        "\(path): the run has made \(checkpoint.position.step) steps, and should end after \(totalSteps)",
        remedy: "raise training.epochs or --max-steps")
    }
    let expected = network.parameters.tensors.map { ($0.name, $0.shape) }
    func take(_ tensors: [Tensor], _ buffer: UnsafeMutablePointer<Float>) throws(Failure) {
      let values = try SafetensorsFile(tensors: tensors, metadata: [:]).tensors(matching: expected, from: path)
      for (tensor, value) in zip(network.parameters.tensors, values) {
        _ = UnsafeMutableBufferPointer(start: buffer + tensor.offset, count: tensor.count)
          .update(fromContentsOf: value.values)
      }
    }
    try take(checkpoint.weights, network.parameters.values)
    try take(checkpoint.firstMoments, optimizer.firstMoments)
    try take(checkpoint.secondMoments, optimizer.secondMoments)
    step = checkpoint.position.step
  }

  /// Brings every rank to rank 0's step, parameters and moments.
  ///
  /// - Throws: `.configuration` on all ranks where one did not come to the same; whatever the exchange throws.
  func shareState() throws(Failure) {
    let phase = Phase("broadcast of the initial state")
    let steps = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
    defer { steps.deallocate() }
    steps.storeBytes(of: UInt64(step).littleEndian, as: UInt64.self)
    try communicator.broadcast(steps, phase: phase)
    step = Int(clamping: UInt64(littleEndian: steps.load(as: UInt64.self)))
    optimizer.step = step
    try communicator.broadcast(network.parameters.bytes, phase: phase)
    guard step > 0 else { return }
    let buffers = [optimizer.firstMoments, optimizer.secondMoments].map {
      UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer($0), count: network.parameters.bytes.count)
    }
    for buffer in buffers { try communicator.broadcast(buffer, phase: phase) }
    var hash = SHA256()
    for buffer in [network.parameters.bytes] + buffers { hash.update(UnsafeRawBufferPointer(buffer)) }
    hash.update(UnsafeRawBufferPointer(steps))
    try communicator.agree(on: hash.finalize().bytes, what: "state", phase: Phase("agreement on the state"))
  }
}

extension Failure {
  /// The job was asked to stop.
  static func stopped(after step: Int) -> Failure { Failure(.preempted, "stopped after step \(step)", remedy: "") }
}
