/// How far the copies of an image that training sees may depart from it. All off: every copy is the image.
public struct AugmentationSettings: Equatable, Sendable {
  /// Degrees to either side.
  public var rotation = 0.0
  /// Pixels in each direction, along each axis.
  public var shift = 0.0
  /// Share by which the size grows or shrinks: 0.1 gives 0.9 to 1.1 of it.
  public var scale = 0.0
  /// Degrees by which vertical lines lean to either side.
  public var shear = 0.0
  /// Standard deviation of a pixel's elastic displacement along each axis, in pixels.
  public var elastic = 0.0
  /// Standard deviation of the Gaussian that smooths the elastic displacements, in pixels.
  public var elasticSmoothness = 4.0
  /// Whole pixels in each direction: what is cut out at random of an image with this border of zeros.
  public var crop = 0
  /// Probability that left and right are exchanged.
  public var flip = 0.0
  /// Share of the whole range that is added or taken away.
  public var brightness = 0.0
  /// Share by which the distance from the image's mean grows or shrinks.
  public var contrast = 0.0
  /// Standard deviation of what is added to each pixel, as a share of the whole range.
  public var noise = 0.0
  /// Probability that a rectangle gives way to random pixels.
  public var erasing = 0.0

  public init() {}

  public var isOff: Bool { !movesPixels && !changesValues && erasing == 0 }
  /// Whether the image has to be resampled.
  var movesPixels: Bool {
    rotation > 0 || shift > 0 || scale > 0 || shear > 0 || elastic > 0 || crop > 0 || flip > 0
  }
  var changesValues: Bool { brightness > 0 || contrast > 0 || noise > 0 }
}
