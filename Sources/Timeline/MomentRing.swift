import Communication
import NeuralNetwork

/// The last moments of one thread, in memory that is taken once: when it is full, the oldest go.
///
/// Unchecked: one thread writes; others read when it has stopped.
final class MomentRing: WorkspaceObserver, @unchecked Sendable {
  let capacity: Int
  /// The moments there have been, those that are gone included.
  private(set) var count = 0
  /// Of the first moment there was.
  private(set) var firstNanoseconds: UInt64?
  private let moments: UnsafeMutablePointer<Moment>

  /// - Parameter capacity: a power of two.
  init(capacity: Int) {
    self.capacity = capacity
    moments = .allocate(capacity: capacity)
    // Written once now, so that no page is made in the middle of a step.
    moments.initialize(repeating: Moment(nanoseconds: 0, kind: .pause), count: capacity)
  }

  deinit { moments.deallocate() }

  func add(_ kind: Moment.Kind, layer: Int = 0, number: Int = 0) {
    let now = monotonicNanoseconds()
    if count == 0 { firstNanoseconds = now }
    moments[count & (capacity - 1)] = Moment(
      nanoseconds: now, kind: kind, layer: UInt16(truncatingIfNeeded: layer),
      number: UInt32(truncatingIfNeeded: number))
    count += 1
  }

  func enters(_ stage: WorkspaceStage) {
    switch stage {
    case .loading: add(.loading)
    case .forward(let layer): add(.forward, layer: layer)
    case .loss: add(.loss)
    case .backward(let layer): add(.backward, layer: layer)
    case .completion(let layer): add(.completion, layer: layer)
    case .idle: add(.microbatchEnd)
    }
  }

  /// How many are gone.
  var dropped: Int { max(0, count - capacity) }

  /// What is left, from the oldest on.
  var remaining: [Moment] { (dropped..<count).map { moments[$0 & (capacity - 1)] } }
}
