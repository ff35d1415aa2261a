import Kernels

/// Where a number that is not finite first came up in a microbatch.
public struct NonFinitePlace: Equatable, Sendable {
  /// In the order in which a pass comes to them.
  public enum Kind: Int, Sendable, CaseIterable {
    /// What a layer makes of its input.
    case output
    case loss
    /// What reaches a layer backward: the gradient of its output.
    case outputGradient
    /// The gradient of a layer's parameters.
    case parameterGradient
  }

  public let kind: Kind
  /// The layer's place in the network's segment; 0 for the loss.
  public let layer: Int
  /// Indices in the data set of the samples in which it is so; all of the microbatch for a parameter's gradient.
  public let samples: [Int]

  public init(kind: Kind, layer: Int, samples: [Int]) {
    self.kind = kind
    self.layer = layer
    self.samples = samples
  }
}

extension Workspace {
  /// Computes a microbatch's gradient as `computeGradient` does, and looks at everything on its way.
  ///
  /// - Returns: the first place, in the order of a pass, where a number is not finite; nil where there is none.
  public func findNonFinite(
    of samples: UnsafeBufferPointer<UInt32>, seed: UInt64, epoch: Int, gradient: UnsafeMutablePointer<Float>,
    read: SampleReader
  ) -> NonFinitePlace? {
    let search = NonFiniteSearch(self, samples: samples.map(Int.init))
    let before = observer
    observer = search
    let statistics = computeGradient(of: samples, seed: seed, epoch: epoch, gradient: gradient, read: read)
    observer = before
    return search.first ?? search.parameterGradient(gradient, isLossFinite: statistics.lossSum.isFinite)
  }
}

extension Network {
  /// The first tensor in which a number is not finite.
  ///
  /// - Parameter values: the parameters, or a gradient of them.
  public func firstNonFiniteTensor(in values: UnsafePointer<Float>) -> ParameterTensor? {
    parameters.tensors.first { !FiniteCheck.allAreFinite(values + $0.offset, count: $0.count) }
  }

  /// Floats of a layer's parameters, and where they begin in the flat buffer; nil for a layer without.
  public func parameterRange(ofLayer layer: Int) -> Range<Int>? {
    let count = segment.layers[layer].parameterShapes.reduce(0) { $0 + $1.count }
    let start = segment.parameterOffsets[layer]
    return count > 0 ? start..<start + count : nil
  }
}

/// Looks at what a layer has left when the next one begins.
private final class NonFiniteSearch: WorkspaceObserver {
  private unowned let workspace: Workspace
  private let samples: [Int]
  /// The group in work, as places in `samples`.
  private var group: Range<Int>
  private var groups: [Range<Int>] = []
  private(set) var first: NonFinitePlace?

  init(_ workspace: Workspace, samples: [Int]) {
    self.workspace = workspace
    self.samples = samples
    group = 0..<0
    forEachPart(of: samples.count, limit: Network.groupSize) { start, count in groups.append(start..<start + count) }
    groups.reverse()
  }

  func enters(_ stage: WorkspaceStage) {
    switch stage {
    case .loading: group = groups.popLast() ?? 0..<0
    case .forward(let layer): if layer > 0 { look(at: workspace.activations[layer], .output, layer - 1) }
    case .loss: look(at: workspace.activations[workspace.activations.count - 1], .output, lastLayer)
    case .backward(let layer):
      if let gradient = workspace.gradients[layer + 1] {
        look(at: gradient, layer == lastLayer ? .loss : .outputGradient, layer == lastLayer ? 0 : layer)
      }
    case .completion, .idle: break
    }
  }

  func parameterGradient(_ gradient: UnsafePointer<Float>, isLossFinite: Bool) -> NonFinitePlace? {
    if !isLossFinite { return NonFinitePlace(kind: .loss, layer: 0, samples: samples) }
    for layer in stride(from: lastLayer, through: 0, by: -1) {
      guard let range = workspace.network.parameterRange(ofLayer: layer) else { continue }
      guard !FiniteCheck.allAreFinite(gradient + range.lowerBound, count: range.count) else { continue }
      return NonFinitePlace(kind: .parameterGradient, layer: layer, samples: samples)
    }
    return nil
  }

  private var lastLayer: Int { workspace.activations.count - 2 }

  private func look(at activation: Activation, _ kind: NonFinitePlace.Kind, _ layer: Int) {
    let stride = activation.layout.sampleStride
    let found = group.indices.filter { place in
      !FiniteCheck.allAreFinite(activation.base + (place - group.lowerBound) * stride, count: stride)
    }
    guard !found.isEmpty else { return }
    let place = NonFinitePlace(kind: kind, layer: layer, samples: found.map { samples[$0] })
    guard let earlier = first else {
      first = place
      return
    }
    if place.order < earlier.order {
      first = place
    } else if place.order == earlier.order {
      first = NonFinitePlace(kind: kind, layer: layer, samples: earlier.samples + place.samples)
    }
  }
}

extension NonFinitePlace {
  /// Rises along a pass: forward from the first layer to the last, then backward.
  fileprivate var order: Int {
    let layers = 1 << 20
    return kind.rawValue * layers + (kind == .output ? layer : layers - 1 - layer)
  }
}
