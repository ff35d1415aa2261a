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
  /// - Parameters:
  ///   - path: where it is from, for messages.
  ///   - isChanged: whether the run goes on with other settings, which may need what the checkpoint does not have: an
  ///     optimizer begins with nothing then, and the average with the weights.
  /// - Throws: `.badData` where it is not of this network; `.configuration` where it lies behind the end of the run.
  public func restore(
    _ checkpoint: Checkpoint, from path: String, isChanged: Bool = false
  ) throws(Failure) {
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
    try shards?.makeRoom()
    let states = keptStates
    states.first { $0.name == Checkpoint.State.averageName }?.values
      .update(from: network.parameters.values, count: network.parameters.count)
    for state in states {
      if let tensors = checkpoint.state(named: state.name) {
        try take(tensors, state.values)
      } else if !isChanged {
        throw Failure(
          .badData, "\(path): the checkpoint has no \(state.name)", remedy: "take the checkpoint before it")
      }
    }
    step = checkpoint.position.step
    best = checkpoint.best
  }

  /// Brings every rank to rank 0's step, best evaluation, parameters and what is kept beside them.
  ///
  /// - Throws: `.configuration` on all ranks where one did not come to the same; whatever the exchange throws.
  func shareState() throws(Failure) {
    let phase = Phase("broadcast of the initial state")
    let numbers = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 8)
    defer { numbers.deallocate() }
    for (place, number) in [step, best?.step ?? 0, best?.errors ?? 0].enumerated() {
      numbers.storeBytes(of: UInt64(number).littleEndian, toByteOffset: 8 * place, as: UInt64.self)
    }
    try communicator.broadcast(numbers, phase: phase)
    func number(_ place: Int) -> Int {
      Int(clamping: UInt64(littleEndian: numbers.load(fromByteOffset: 8 * place, as: UInt64.self)))
    }
    step = number(0)
    best = number(1) > 0 ? Checkpoint.Best(step: number(1), errors: number(2)) : nil
    try communicator.broadcast(network.parameters.bytes, phase: phase)
    defer { groups?.spread() }
    guard step > 0 else {
      update.startAverage(from: network.parameters.values)
      return
    }
    var hash = SHA256()
    if let shards {
      try shards.share(phase: phase) { hash.update($0) }
    } else {
      for state in update.states {
        let buffer = UnsafeMutableRawBufferPointer(
          start: UnsafeMutableRawPointer(state.values), count: network.parameters.bytes.count)
        try communicator.broadcast(buffer, phase: phase)
        hash.update(UnsafeRawBufferPointer(buffer))
      }
    }
    try residuals?.share(phase: phase) { hash.update($0) }
    hash.update(UnsafeRawBufferPointer(network.parameters.bytes))
    hash.update(UnsafeRawBufferPointer(numbers))
    try communicator.agree(on: hash.finalize().bytes, what: "state", phase: Phase("agreement on the state"))
  }
}

/// A buffer with one float for each parameter that goes from step to step.
struct KeptState {
  /// As a checkpoint has it.
  let name: String
  let values: UnsafeMutablePointer<Float>
}

extension Trainer {
  /// All that a checkpoint holds beside the parameters, in place. Of the groups of other ranks rank 0 has the residuals
  /// as they were when they were last gathered; of the states of other ranks' slices, between that and the next step alone.
  var keptStates: [KeptState] {
    let states = shards?.whole ?? update.states.map { KeptState(name: $0.name, values: $0.values) }
    guard let residuals else { return states }
    return states
      + (0..<residuals.groups).compactMap { group in
        residuals.values(ofGroup: group).map { KeptState(name: "group_\(group)_residual", values: $0) }
      }
  }

  /// The names of these, always in the same order.
  var keptStateNames: [String] {
    update.states.map(\.name) + (0..<(residuals?.groups ?? 0)).map { "group_\($0)_residual" }
  }

  /// Exchanges the weights and their average, where there is one. Twice leaves all as it was. Every rank has to call it.
  func exchangeAverage() throws(Failure) {
    guard update.average != nil else { return }
    update.exchangeAverage(with: network.parameters.values)
    try trainingStep.gatherApart(network.parameters.values, phase: Phase("exchange of the average", step: step))
    network.prepareParameters()
  }

  /// Makes rank 0's weights those that the run gives: their average where one is kept. At the end of a run, which then has
  /// no use for the others.
  func takeAverage() {
    guard let average = keptStates.first(where: { $0.name == Checkpoint.State.averageName }) else { return }
    network.parameters.values.update(from: average.values, count: network.parameters.count)
    network.prepareParameters()
  }
}

extension Failure {
  /// The job was asked to stop.
  static func stopped(after step: Int) -> Failure { Failure(.preempted, "stopped after step \(step)", remedy: "") }
}
