/// A point in time at which a thread goes over to something else, as it is kept and sent: 16 bytes.
struct Moment: Equatable {
  /// What a thread goes over to. Each has its depth: whatever is as deep or deeper ends with it.
  enum Kind: UInt8 {
    case step, evaluation, betweenSteps
    case ordering, microbatch, addition, scattering, finishing, gathering, update, preparation, pause
    case loading, forward, loss, backward, completion, microbatchEnd

    var depth: Int {
      switch self {
      case .step, .evaluation, .betweenSteps: 0
      case .ordering, .microbatch, .addition, .scattering, .finishing, .gathering, .update, .preparation, .pause: 1
      case .loading, .loss, .microbatchEnd: 2
      // Inside of the forward or the backward pass.
      case .forward, .backward, .completion: 3
      }
    }

    /// Whether it only ends what was before.
    var isEnd: Bool { self == .betweenSteps || self == .pause || self == .microbatchEnd }
  }

  /// On the clock of whoever kept it, or of rank 0 once it has been sent.
  var nanoseconds: UInt64
  var kind: Kind
  /// The layer's place in the network, where one is meant.
  var layer: UInt16 = 0
  /// The step or the microbatch, where one is meant.
  var number: UInt32 = 0
}
