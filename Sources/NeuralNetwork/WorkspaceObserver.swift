/// What a workspace is doing. Layers are named by their place in the network's segment.
public enum WorkspaceStage: Equatable, Sendable {
  /// Reading samples, and bringing their pixels into the form of the first layer.
  case loading
  case forward(layer: Int)
  /// Softmax, loss, and the gradient of the scores.
  case loss
  case backward(layer: Int)
  /// Completing the gradient of a layer's parameters, once a microbatch.
  case completion(layer: Int)
  /// The microbatch is done.
  case idle
}

/// Told what a workspace is doing, to measure it.
///
/// Called on the thread that works, up to a hundred times a millisecond.
public protocol WorkspaceObserver: AnyObject {
  func enters(_ stage: WorkspaceStage)
}
