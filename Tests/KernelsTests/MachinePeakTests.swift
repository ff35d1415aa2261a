import Testing

@testable import Kernels

@Suite struct MachinePeakTests {
  /// The chains do what is counted: each of 12 · 8 numbers is multiplied and added to once an iteration.
  @Test(arguments: [0, 1, 2, 7]) func chainsMultiplyAndAdd(iterations: Int) {
    let (factor, addend): (Float, Float) = (0.75, 2)
    var expected = 0.0
    for chain in 0..<12 {
      var value = addend + Float(chain)
      for _ in 0..<iterations { value = addend.addingProduct(factor, value) }
      expected += 8 * Double(value)
    }
    let sum = multiplyAddChains(iterations: iterations, factor: factor, addend: addend)
    #expect(abs(Double(sum) - expected) <= 1e-6 * expected)
    #expect(multiplyAddOperations == 2 * 8 * 12)
  }

  @Test func everythingIsReadOnce() {
    let count = 128 * 5
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
      .initializeMemory(as: Float.self, repeating: 0, count: count)
    defer { memory.deallocate() }
    for place in 0..<count {
      memory[place] = Float(place + 1)
      #expect(readThrough(memory, count: count) == Float(place + 1))
      memory[place] = 0
    }
    #expect(readThrough(memory, count: 0) == 0)
  }
}
