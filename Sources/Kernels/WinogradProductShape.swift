/// Sizes and strides of a Winograd product, in floats.
public struct WinogradProductShape: Sendable {
  /// Tiles of all images together.
  public let tiles: Int
  /// Input channels, a multiple of 8.
  public let inputChannels: Int
  /// Output channels, a multiple of 16.
  public let outputChannels: Int

  public init(tiles: Int, inputChannels: Int, outputChannels: Int) {
    self.tiles = tiles
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
  }

  /// Distance between two frequencies of the transformed inputs. The 64 bytes more than needed keep the frequencies
  /// from competing for the same cache sets.
  @inlinable public var inputStride: Int { tiles * inputChannels + 16 }
  /// Distance between two frequencies of the products, and of the transformed gradients.
  @inlinable public var outputStride: Int { tiles * outputChannels + 16 }
  /// Distance between two frequencies of the transformed weights.
  @inlinable public var weightStride: Int { inputChannels * outputChannels + 16 }
}

/// Floats of one block of the transformed weight gradient: 36 frequencies of 16 by 16 channels.
public let winogradGradientBlockCount = 36 * winogradGradientBlockStride
/// Distance between two frequencies of it, in floats.
public let winogradGradientBlockStride = 16 * 16 + 16
/// Floats of the panels through which `winogradWeightGradientTransform` goes.
public let winogradGradientPanelCount = 2 * winogradGradientPanelStride
/// Distance between the panels of two blocks of 8 filters, in floats.
public let winogradGradientPanelStride = 16 * 72
