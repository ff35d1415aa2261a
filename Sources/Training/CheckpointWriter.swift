import Checkpoints
import Communication
import Failures
import NeuralNetwork

/// Writes checkpoints on a thread of its own, so that a step waits no longer than a copy of the buffers takes, and for
/// the checkpoint before where that is still being written.
///
/// Belongs to one thread, but for what it starts itself.
final class CheckpointWriter {
  /// What is written of a run beside its buffers, and where.
  struct Target: Sendable {
    let store: CheckpointStore
    let tensors: [ParameterTensor]
    let count: Int
    let seed: UInt64
    /// The settings that enter the arithmetic.
    let configuration: String
    let stepsPerEpoch: Int
    /// How many of the newest stay.
    let keep: Int
    /// What the checkpoints are compared by.
    let criterion: CheckpointStore.Criterion
    /// The names of what is written beside the weights.
    let stateNames: [String]
  }

  private let shared: Shared
  private let thread: PosixThread
  private var isClosed = false

  /// - Throws: `.osError` where there is no thread left.
  init(_ target: Target) throws(Failure) {
    let shared = Shared(target)
    self.shared = shared
    thread = try PosixThread { shared.work() }
  }

  deinit { close() }

  /// Where the states that are beside the weights may be put for the next `write`, which then does not copy them: in the
  /// target's order, each of the parameters' padded count. What was written before is on the disk then.
  ///
  /// - Throws: what went wrong with an earlier checkpoint.
  func room() throws(Failure) -> [UnsafeMutablePointer<Float>] { try shared.room() }

  /// Copies the state and has it written.
  ///
  /// - Throws: what went wrong with an earlier checkpoint.
  ///
  /// - Parameter states: those of the target's names, in their order.
  func write(
    step: Int, best: Checkpoint.Best?, parameters: ParameterStore, states: [KeptState]
  ) throws(Failure) {
    try shared.submit(.checkpoint(step: step, best: best)) { copy in
      copy.weights.update(from: parameters.values, count: parameters.count)
      for (target, state) in zip(copy.states, states) where target != state.values {
        target.update(from: state.values, count: parameters.count)
      }
    }
  }

  /// Has the result of a checkpoint that was written before compared with the best.
  func note(step: Int, _ result: Evaluation.Result) throws(Failure) {
    try shared.submit(.result(step: step, errors: result.errors, samples: result.samples))
  }

  /// Waits until all is written.
  ///
  /// - Throws: what went wrong with a checkpoint.
  func finish() throws(Failure) { try shared.waitUntilIdle() }

  /// Ends the thread when it has written what it has begun.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    shared.close()
    thread.join()
  }
}

/// A copy of the state, [count] each, with room for the padding.
private struct StateCopy {
  let weights: UnsafeMutablePointer<Float>
  let states: [UnsafeMutablePointer<Float>]
}

private enum Task {
  case checkpoint(step: Int, best: Checkpoint.Best?)
  case result(step: Int, errors: Int, samples: Int)
}

/// What the two threads share.
///
/// Unchecked: all that changes is used under the monitor, but for the copy, which belongs to whoever is not waiting: the
/// writer while there is a task, the owner while there is none.
private final class Shared: @unchecked Sendable {
  private static let hasTask = 0
  private static let isIdle = 1

  private let monitor = Monitor(conditions: 2)
  private let target: CheckpointWriter.Target
  private let copy: StateCopy
  private var task: Task?
  private var isClosing = false
  private var failure: Failure?

  init(_ target: CheckpointWriter.Target) {
    self.target = target
    let count = ParameterStore.padded(target.count)
    copy = StateCopy(
      weights: .allocate(capacity: count), states: target.stateNames.map { _ in .allocate(capacity: count) })
  }

  deinit {
    for buffer in [copy.weights] + copy.states { buffer.deallocate() }
  }

  func room() throws(Failure) -> [UnsafeMutablePointer<Float>] {
    try waitUntilIdle()
    return copy.states
  }

  func submit(_ next: Task, prepare: (StateCopy) -> Void = { _ in }) throws(Failure) {
    try waitUntilIdle()
    prepare(copy)
    monitor.lock()
    task = next
    monitor.signal(Self.hasTask)
    monitor.unlock()
  }

  func waitUntilIdle() throws(Failure) {
    monitor.lock()
    while task != nil { monitor.wait(on: Self.isIdle) }
    let failure = failure
    monitor.unlock()
    if let failure { throw failure }
  }

  func close() {
    monitor.lock()
    isClosing = true
    monitor.signal(Self.hasTask)
    monitor.unlock()
  }

  /// The writer's thread.
  func work() {
    monitor.lock()
    defer { monitor.unlock() }
    while true {
      while task == nil && !isClosing { monitor.wait(on: Self.hasTask) }
      guard let next = task else { return }
      monitor.unlock()
      var outcome: Failure?
      do throws(Failure) { try perform(next) } catch { outcome = error }
      monitor.lock()
      failure = failure ?? outcome
      task = nil
      monitor.signal(Self.isIdle)
    }
  }

  private func perform(_ task: Task) throws(Failure) {
    switch task {
    case .checkpoint(let step, let best):
      try target.store.write(
        Checkpoint(
          position: Checkpoint.Position(step: step, stepsPerEpoch: target.stepsPerEpoch), seed: target.seed,
          configuration: target.configuration, best: best, weights: tensors(copy.weights),
          states: zip(target.stateNames, copy.states).map { Checkpoint.State(name: $0, tensors: tensors($1)) }))
      try target.store.prune(keep: target.keep, upTo: step)
    case .result(let step, let errors, let samples):
      try target.store.noteResult(step: step, errors: errors, samples: samples, by: target.criterion)
      try target.store.prune(keep: target.keep, upTo: step)
    }
  }

  private func tensors(_ values: UnsafeMutablePointer<Float>) -> [Tensor] {
    target.tensors.map { tensor in
      Tensor(
        name: tensor.name, shape: tensor.shape,
        copying: UnsafeBufferPointer(start: values + tensor.offset, count: tensor.count))
    }
  }
}
