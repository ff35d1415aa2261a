import Failures

/// Labelled images, one byte a pixel, found by index.
public protocol Dataset: Sendable {
  /// The name that a person reads in the header of a run: "mnist", "synthetic-digits".
  var name: String { get }
  /// Where it came from, for the header: a folder, or "drawn by code".
  var origin: String { get }
  /// The files that it is read from; none where it is drawn.
  var files: [String] { get }
  /// The number of samples.
  var count: Int { get }
  var imageShape: ImageShape { get }
  /// Labels are in [0, classCount).
  var classCount: Int { get }

  /// Writes the pixels of one sample, row-major, channel by channel, and returns its label.
  ///
  /// Allocates nothing; safe to call from several threads.
  ///
  /// - Parameters:
  ///   - index: in [0, count).
  ///   - pixels: `imageShape.pixelCount` bytes.
  func read(_ index: Int, into pixels: UnsafeMutablePointer<UInt8>) -> Int

  /// Says that a sample will be read soon. Samples lie far apart in memory, where an epoch shuffles them: to ask for several
  /// takes hardly longer than to wait for one. Does nothing where a data set does not say otherwise; one that is made of
  /// another hands it on.
  ///
  /// - Parameter index: in [0, count).
  func prefetch(_ index: Int)
}

extension Dataset {
  public var files: [String] { [] }
  public func prefetch(_ index: Int) {}
}

/// Channels, height and width of an image, in pixels.
public struct ImageShape: Equatable, Sendable {
  public let channels: Int
  public let height: Int
  public let width: Int

  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  public var pixelCount: Int { channels * height * width }
}
