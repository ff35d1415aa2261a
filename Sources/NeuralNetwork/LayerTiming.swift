#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Adds up the seconds that each layer takes, forward and backward.
public final class LayerTiming {
  public enum Direction: Sendable { case forward, backward }

  public private(set) var forwardSeconds: [Double]
  public private(set) var backwardSeconds: [Double]

  public init(layers: Int) {
    forwardSeconds = Array(repeating: 0, count: layers)
    backwardSeconds = Array(repeating: 0, count: layers)
  }

  func measure(_ layer: Int, _ direction: Direction, _ body: () -> Void) {
    let start = Self.now()
    body()
    let seconds = Self.now() - start
    if direction == .forward { forwardSeconds[layer] += seconds } else { backwardSeconds[layer] += seconds }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
