import Kernels

/// How the activations of one sample lie in memory.
///
/// Blocked: [channel / 8][row][column][8 channels], which the kernels work on. Planar: [channel][row][column], for the
/// image that enters the network. Both with a border of zeros around each plane, the padding of the layer that reads
/// it, so that no kernel has to ask where the image ends. Lanes beyond the last channel are zero.
public struct ActivationLayout: Equatable, Sendable {
  public enum Arrangement: Sendable {
    case planar, blocked
  }

  public let shape: FeatureShape
  public let border: Int
  public let arrangement: Arrangement

  public init(shape: FeatureShape, border: Int, arrangement: Arrangement = .blocked) {
    self.shape = shape
    self.border = border
    self.arrangement = arrangement
  }

  /// Blocks of eight channels, or planes.
  @inlinable public var blocks: Int { arrangement == .blocked ? (shape.channels + 7) / 8 : shape.channels }
  /// Floats from one pixel to the next.
  @inlinable public var pixelStride: Int { arrangement == .blocked ? 8 : 1 }
  /// Floats from one row to the next.
  @inlinable public var rowStride: Int { (shape.width + 2 * border) * pixelStride }
  /// Floats from one block (or plane) to the next.
  @inlinable public var blockStride: Int { (shape.height + 2 * border) * rowStride }
  /// Floats from one sample to the next: whole cache lines.
  @inlinable public var sampleStride: Int { (blocks * blockStride + 15) / 16 * 16 }
  /// Floats from the corner of the border to the pixel `distance` rows and columns outside the first.
  public func offset(outside distance: Int = 0) -> Int { (border - distance) * (rowStride + pixelStride) }

  /// Floats from the start of a sample to one of its values.
  @inlinable public func offset(channel: Int, row: Int, column: Int) -> Int {
    let plane = arrangement == .blocked ? (channel / 8) * blockStride + channel % 8 : channel * blockStride
    return plane + (row + border) * rowStride + (column + border) * pixelStride
  }

  /// For the kernels, from the first pixel on.
  public var plane: BlockedPlane {
    BlockedPlane(
      blocks: blocks, rows: shape.height, columns: shape.width, blockStride: blockStride, rowStride: rowStride)
  }
}

/// The activations, or their gradients, of a group of samples between two layers.
public struct Activation {
  public let layout: ActivationLayout
  /// The corner of the border of the first sample.
  public let base: UnsafeMutablePointer<Float>

  init(layout: ActivationLayout, samples: Int, arena: Arena) {
    self.layout = layout
    base = arena.allocate(layout.sampleStride * samples)
  }

  /// The pixel `distance` rows and columns outside the first one of a sample, `layout.border` of them at most.
  public func start(of sample: Int, outside distance: Int = 0) -> UnsafeMutablePointer<Float> {
    base + sample * layout.sampleStride + layout.offset(outside: distance)
  }

  /// One value of a sample, wherever the layout has it. Unchecked, as `base` is. For a layer whose time does not
  /// matter; the others take whole rows from `start(of:outside:)`.
  @inlinable public subscript(sample: Int, channel: Int, row: Int, column: Int) -> Float {
    get { base[sample * layout.sampleStride + layout.offset(channel: channel, row: row, column: column)] }
    nonmutating set {
      base[sample * layout.sampleStride + layout.offset(channel: channel, row: row, column: column)] = newValue
    }
  }
}
