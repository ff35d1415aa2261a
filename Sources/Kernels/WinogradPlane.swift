/// Where the activations of one image lie and how Winograd's 4x4 tiles cover them.
///
/// Activations are blocked: [channel block][row][column][8 channels]. Strides are in floats. Rows and columns count
/// from the origin that goes with the plane: for inputs the corner of the padding, for outputs and for the
/// input's gradient the first pixel.
public struct WinogradPlane: Sendable {
  /// Distance between two channel blocks.
  public let blockStride: Int
  /// Distance between two rows.
  public let rowStride: Int
  /// Rows and columns that exist; what tiles cover beyond is zero when read and is not written.
  public let rows: Int
  public let columns: Int
  /// Blocks of 8 channels that exist.
  public let channelBlocks: Int
  /// Tiles in each direction.
  public let tileRows: Int
  public let tileColumns: Int

  public init(
    blockStride: Int, rowStride: Int, rows: Int, columns: Int, channelBlocks: Int, tileRows: Int, tileColumns: Int
  ) {
    self.blockStride = blockStride
    self.rowStride = rowStride
    self.rows = rows
    self.columns = columns
    self.channelBlocks = channelBlocks
    self.tileRows = tileRows
    self.tileColumns = tileColumns
  }

  /// Floats that a transform needs beside it: six vectors a column of a row of tiles, of 8 or 16 floats, then one vector of
  /// 8 a block of channels.
  public static func scratchCount(tileColumns: Int, channelBlocks: Int) -> Int {
    rowScratchVectors(tileColumns: tileColumns) * 16 + channelBlocks * 8
  }
  /// Vectors of the columns of a row of tiles, which are more than the 24 of a tile.
  public static func rowScratchVectors(tileColumns: Int) -> Int { 6 * (4 * tileColumns + 2) }
  /// Floats that the transform of the input's gradient needs beside it, in vectors of 8 or 16: 24 for a tile, 8 for what
  /// it hands to the next in its row, 12 a column of tiles and vector of channels for what goes to the row below.
  public static func inputGradientScratchCount(tileColumns: Int, channelBlocks: Int) -> Int {
    (32 + (channelBlocks + 1) / 2 * tileColumns * 12) * 16
  }
  /// Floats of the row of zeros that stands for rows outside the image, in two blocks of channels.
  public static func zeroRowCount(tileColumns: Int, blockStride: Int) -> Int { (4 * tileColumns + 2) * 8 + blockStride }
}

/// Largest error of a convolution by tiles, relative to its largest value, over the sizes that are tested: up to 64
/// channels and values of the same order. Direct float has 2e-7 to 5e-7.
public let winogradForwardErrorBound = 2e-6
/// The same for the gradient of its input.
public let winogradInputGradientErrorBound = 2e-6
/// The same for the gradient of its weights. Direct float has 2e-7 to 1.3e-6.
public let winogradWeightGradientErrorBound = 2.5e-6
