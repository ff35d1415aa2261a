import Arithmetic
import Testing

@testable import Datasets

@Suite("Batch plan and epoch order")
struct BatchPlanTests {
  @Test("cut an epoch so that every sample is in exactly one microbatch, none padded, none dropped")
  func complete() {
    var stream = RandomStream(seed: 5, purpose: .test)
    for _ in 0..<400 {
      let plan = BatchPlan(
        sampleCount: Int(stream.next(below: 700)), batch: 1 + Int(stream.next(below: 150)),
        microbatch: 1 + Int(stream.next(below: 170)))
      var next = 0
      for batch in 0..<plan.batchesPerEpoch {
        let whole = plan.samples(ofBatch: batch)
        #expect(whole.lowerBound == next)
        #expect(whole.count == plan.batch || (batch == plan.batchesPerEpoch - 1 && whole.count < plan.batch))
        #expect(plan.microbatchCount(ofBatch: batch) >= 1)
        for microbatch in 0..<plan.microbatchCount(ofBatch: batch) {
          let part = plan.samples(ofBatch: batch, microbatch: microbatch)
          let isLast = microbatch == plan.microbatchCount(ofBatch: batch) - 1
          #expect(part.lowerBound == next)
          #expect(part.count == min(plan.microbatch, whole.upperBound - next))
          #expect(!part.isEmpty && (part.upperBound == whole.upperBound) == isLast)
          next = part.upperBound
        }
      }
      #expect(next == plan.sampleCount, "\(plan)")
    }
  }

  @Test func defaults() {
    let plan = BatchPlan(sampleCount: 60_000, batch: 100, microbatch: 5)
    #expect(plan.batchesPerEpoch == 600)
    #expect(plan.microbatchCount(ofBatch: 599) == 20)
    #expect(plan.samples(ofBatch: 599, microbatch: 19) == 59_995..<60_000)
  }

  @Test func shortLastBatch() {
    let plan = BatchPlan(sampleCount: 25, batch: 10, microbatch: 4)
    #expect(plan.batchesPerEpoch == 3)
    #expect(plan.samples(ofBatch: 2) == 20..<25)
    #expect(plan.microbatchCount(ofBatch: 1) == 3)
    #expect(plan.microbatchCount(ofBatch: 2) == 2)
    #expect(plan.samples(ofBatch: 1, microbatch: 2) == 18..<20)
    #expect(plan.samples(ofBatch: 2, microbatch: 1) == 24..<25)
  }

  @Test func extremes() {
    #expect(BatchPlan(sampleCount: 0, batch: 10, microbatch: 4).batchesPerEpoch == 0)
    let whole = BatchPlan(sampleCount: 3, batch: .max, microbatch: .max)
    #expect(whole.batchesPerEpoch == 1)
    #expect(whole.microbatchCount(ofBatch: 0) == 1)
    #expect(whole.samples(ofBatch: 0, microbatch: 0) == 0..<3)
  }

  @Test("an epoch's order holds every sample once and depends on seed and epoch alone", arguments: [1, 2, 99, 5_000])
  func epochOrder(count: Int) {
    let order = EpochOrder(sampleCount: count, seed: 8)
    var seen: Set<[Int]> = []
    for epoch in [0, 1, 2, 1] {
      order.prepare(epoch: epoch)
      let indices = (0..<order.count).map { order[$0] }
      #expect(indices.sorted() == Array(0..<count))
      let fresh = EpochOrder(sampleCount: count, seed: 8)
      fresh.prepare(epoch: epoch)
      #expect((0..<count).map { fresh[$0] } == indices)
      seen.insert(indices)
    }
    if count >= 99 {
      #expect(seen.count == 3)
      let other = EpochOrder(sampleCount: count, seed: 9)
      other.prepare(epoch: 1)
      #expect(!seen.contains((0..<count).map { other[$0] }))
    }
  }
}
