import ProtocolBuffers

/// How many values lie where, in classes whose limits grow by a tenth from one to the next, on both sides of 0.
///
/// These are the limits of tensorflow/core/lib/histogram/histogram.cc, from 1e-12 to 1e20.
struct Histogram {
  private static let limits: [Double] = {
    var positive: [Double] = []
    var limit = 1e-12
    while limit < 1e20 {
      positive.append(limit)
      limit *= 1.1
    }
    return positive.reversed().map { -$0 } + [0] + positive + [.greatestFiniteMagnitude]
  }()

  private var counts = [Double](repeating: 0, count: limits.count)
  private(set) var number = 0.0
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  private(set) var sum = 0.0
  private(set) var squares = 0.0

  /// Counts these values, and forgets those before.
  mutating func count(_ values: UnsafeBufferPointer<Float>) {
    for index in counts.indices { counts[index] = 0 }
    (number, minimum, maximum, sum, squares) = (0, .infinity, -.infinity, 0, 0)
    Self.limits.withUnsafeBufferPointer { limits in
      counts.withUnsafeMutableBufferPointer { counts in
        for value in values where value.isFinite {
          let value = Double(value)
          counts[Self.place(of: value, limits)] += 1
          number += 1
          minimum = min(minimum, value)
          maximum = max(maximum, value)
          sum += value
          squares += value * value
        }
      }
    }
  }

  /// A `HistogramProto` of tensorflow/core/framework/histogram.proto. A run of empty classes becomes one.
  func write(into message: inout ProtocolBuffer) {
    message.double(1, number > 0 ? minimum : 0)
    message.double(2, number > 0 ? maximum : 0)
    message.double(3, number)
    message.double(4, sum)
    message.double(5, squares)
    for (field, value) in [(6, { Self.limits[$0] }), (7, { counts[$0] })] as [(Int, (Int) -> Double)] {
      message.message(field) { packed in
        for index in counts.indices where isShown(index) { packed.packed(value(index)) }
      }
    }
  }

  /// A class with values, and the empty one before it, which says where it begins.
  private func isShown(_ index: Int) -> Bool {
    counts[index] > 0 || index + 1 < counts.count && counts[index + 1] > 0 || index == counts.count - 1 && number == 0
  }

  /// The first class whose limit lies above the value.
  private static func place(of value: Double, _ limits: UnsafeBufferPointer<Double>) -> Int {
    var (low, high) = (0, limits.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if limits[middle] > value { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
