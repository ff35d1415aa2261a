import Testing

@testable import DataParallel

@Suite struct GradientVectorTests {
  @Test(arguments: [0, 1, 15, 16, 17, 123_552])
  func memoryIsAlignedPaddedAndZero(count: Int) throws {
    let vector = try GradientVector(count: count)
    #expect(vector.paddedCount >= count && vector.paddedCount < count + 16 && vector.paddedCount % 16 == 0)
    #expect(UInt(bitPattern: vector.floats) % 64 == 0)
    #expect(UnsafeRawPointer(vector.trailer) == UnsafeRawPointer(vector.floats + vector.paddedCount))
    #expect(UnsafeBufferPointer(start: vector.floats, count: vector.paddedCount).allSatisfy { $0 == 0 })
    #expect(vector.statistics == StepStatistics())
  }

  @Test func statisticsAreKeptExactlyBesideTheFloats() throws {
    let vector = try GradientVector(count: 5)
    let statistics = StepStatistics(
      lossSum: 0.1, correct: 1 << 50, samples: (1 << 53) - 1, nonFinite: 3, stopRequests: 2)
    vector.statistics = statistics
    #expect(vector.statistics == statistics)
    #expect(UnsafeBufferPointer(start: vector.floats, count: 16).allSatisfy { $0 == 0 })
    #expect(StepStatistics(lossSum: 30, samples: 12).meanLoss == 2.5)
  }
}
