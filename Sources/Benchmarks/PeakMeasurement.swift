import Communication
import Failures
import Kernels
import Reporting
import WideKernels

/// What this machine can do at most, measured beside what the kernels reach.
final class PeakMeasurement {
  private let threads: Int
  private let floats: Int
  private let source: UnsafeMutablePointer<Float>
  private let destination: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - threads: how many multiply at the same time.
  ///   - neighbours: ranks on this host, which share its caches.
  init(threads: Int, neighbours: Int) {
    self.threads = threads
    let bytes = max(Self.leastBytes, Self.bytesOfAHost / max(1, neighbours))
    floats = bytes / 4
    func allocate() -> UnsafeMutablePointer<Float> {
      UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 1 << 21)
        .initializeMemory(as: Float.self, repeating: 1, count: bytes / 4)
    }
    source = allocate()
    destination = allocate()
  }

  deinit {
    source.deallocate()
    destination.deallocate()
  }

  /// Of each of two buffers: several times as much as the caches of today's processors, over all ranks of a host.
  private static let bytesOfAHost = 256 << 20
  private static let leastBytes = 32 << 20

  /// Multiply-adds of all threads at the same time.
  ///
  /// - Returns: floating-point operations a second; a multiplication and an addition count as two.
  func operationsPerSecond(for seconds: Double) throws(Failure) -> Double {
    final class Rates: @unchecked Sendable {  // Unchecked: each thread has an element, read when it has ended.
      let values: UnsafeMutablePointer<Double>
      init(_ count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0, count: count)
      }
      deinit { values.deallocate() }
    }

    let rates = Rates(threads)
    var others: [PosixThread] = []
    for thread in 1..<max(1, threads) {
      others.append(try PosixThread { rates.values[thread] = Self.rate(for: seconds) })
    }
    rates.values[0] = Self.rate(for: seconds)
    for other in others { other.join() }
    return (0..<threads).reduce(0) { $0 + rates.values[$1] }
  }

  private static func rate(for seconds: Double) -> Double {
    let iterations = 50_000
    let isWide = VectorWidth.used == .bits512
    let operations = isWide ? WideKernels.multiplyAddOperations : Kernels.multiplyAddOperations
    var blocks = 0
    var sum: Float = 0
    let start = monotonicSeconds()
    var elapsed = 0.0
    repeat {
      sum +=
        isWide
        ? WideKernels.multiplyAddChains(iterations: iterations, factor: 0.5, addend: 1)
        : Kernels.multiplyAddChains(iterations: iterations, factor: 0.5, addend: 1)
      blocks += 1
      elapsed = monotonicSeconds() - start
    } while elapsed < seconds
    // The sum of finite numbers is one: true, and the compiler does not know it.
    return sum.isFinite ? Double(blocks * iterations * operations) / elapsed : 0
  }

  /// One thread reading.
  ///
  /// - Returns: bytes a second.
  func readBytesPerSecond(for seconds: Double) -> Double {
    var sum: Float = 0
    let rate = bytesPerSecond(for: seconds, bytesAPass: floats * 4) {
      sum += readThrough(source, count: floats)
    }
    return sum.isFinite ? rate : 0
  }

  /// One thread copying, with the system's own routine.
  ///
  /// - Returns: bytes read and bytes written a second, together.
  func copyBytesPerSecond(for seconds: Double) -> Double {
    bytesPerSecond(for: seconds, bytesAPass: floats * 8) { destination.update(from: source, count: floats) }
  }

  private func bytesPerSecond(for seconds: Double, bytesAPass: Int, _ pass: () -> Void) -> Double {
    var passes = 0
    let start = monotonicSeconds()
    var elapsed = 0.0
    repeat {
      pass()
      passes += 1
      elapsed = monotonicSeconds() - start
    } while elapsed < seconds
    return Double(passes * bytesAPass) / elapsed
  }
}
